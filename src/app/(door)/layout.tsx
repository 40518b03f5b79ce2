import type { ReactNode } from 'react';
import { DoorShell } from '#/components/shell/DoorShell.tsx';

export default function DoorLayout({ children }: { children: ReactNode }) {
  return <DoorShell>{children}</DoorShell>;
}
