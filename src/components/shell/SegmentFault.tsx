'use client';
import { useFreshStart } from '#/hooks/useFreshStart.ts';
import { PageFault } from './PageFault.tsx';

/** A page that broke within its frame, which stands. */
export function SegmentFault({ error, retry }: { error: unknown; retry(): void }) {
  const startFresh = useFreshStart();
  const again = () => {
    startFresh();
    retry();
  };
  return <PageFault error={error} retry={again} />;
}
