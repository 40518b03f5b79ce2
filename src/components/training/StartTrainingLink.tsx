import { Plus } from 'lucide-react';
import { ButtonLink } from '#/components/ui/Button.tsx';

export function StartTrainingLink() {
  return (
    <ButtonLink variant="primary" href="/training/configure">
      <Plus aria-hidden />
      Start a training
    </ButtonLink>
  );
}
