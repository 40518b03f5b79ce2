import { Alert } from '#/components/ui/Alert.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { failureTitle } from './job-words.ts';

/** Why it failed in one sentence, what to do next, and the trainer's last lines. */
export function FailurePanel({ failure }: { failure: NonNullable<TrainingJob['failure']> }) {
  return (
    <Alert tone="bad" title={failureTitle(failure.code)}>
      <p className="text-ink">{failure.message}</p>
      {failure.hint !== null && (
        <p className="mt-1.5">
          <span className="font-medium text-ink">Next step: </span>
          {failure.hint}
        </p>
      )}
      {failure.stack !== null && failure.stack !== '' && (
        <details className="mt-2">
          <summary className="cursor-pointer font-medium text-sm">Last lines of the trainer</summary>
          <Scroll
            label="Last lines of the trainer"
            className="mt-2 max-h-72 overflow-auto rounded-md border bg-panel p-3 font-mono text-ink text-sm"
          >
            <pre>{failure.stack}</pre>
          </Scroll>
        </details>
      )}
      <p className="mt-2 text-xs">Code {failure.code}</p>
    </Alert>
  );
}
