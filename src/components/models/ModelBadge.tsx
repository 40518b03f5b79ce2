import { Ban, CircleAlert, CircleCheck, LoaderCircle } from 'lucide-react';
import { Badge } from '#/components/ui/Badge.tsx';
import type { BaseModel } from '#/contract/base-models.ts';

export function ModelBadge({ model }: { model: BaseModel }) {
  if (model.status === 'fetching') {
    return (
      <Badge tone="accent">
        <LoaderCircle aria-hidden className="animate-turn" />
        {model.in_place ? 'Being read' : 'Being fetched'}
      </Badge>
    );
  }
  if (model.status === 'error') {
    return (
      <Badge tone="bad">
        <CircleAlert aria-hidden />
        Not usable
      </Badge>
    );
  }
  return model.trainable ? (
    <Badge tone="good">
      <CircleCheck aria-hidden />
      Ready
    </Badge>
  ) : (
    <Badge tone="warn">
      <Ban aria-hidden />
      Not trainable
    </Badge>
  );
}
