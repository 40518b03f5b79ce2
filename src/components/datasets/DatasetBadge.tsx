import { CircleAlert, CircleCheck, LoaderCircle, Upload } from 'lucide-react';
import { Badge } from '#/components/ui/Badge.tsx';
import type { DatasetStatus } from '#/domain/statuses.ts';
import { DATASET_STATUS_WORDS } from './dataset-words.ts';

const LOOKS = {
  uploading: { tone: 'accent', icon: Upload },
  validating: { tone: 'accent', icon: LoaderCircle },
  ready: { tone: 'good', icon: CircleCheck },
  error: { tone: 'bad', icon: CircleAlert },
} as const;

export function DatasetBadge({ status }: { status: DatasetStatus }) {
  const { tone, icon: Icon } = LOOKS[status];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className={status === 'validating' ? 'animate-turn' : undefined} />
      {DATASET_STATUS_WORDS[status]}
    </Badge>
  );
}
