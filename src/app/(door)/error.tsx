'use client';
import { SegmentFault } from '#/components/shell/SegmentFault.tsx';

export default function DoorError({ error, retry }: { error: unknown; retry(): void }) {
  return <SegmentFault error={error} retry={retry} />;
}
