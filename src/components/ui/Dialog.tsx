'use client';
import dynamic from 'next/dynamic';
import { useState } from 'react';
import type { DialogProps } from './DialogBody.tsx';

// Most visits open no dialog: what draws one is fetched when the first one opens.
const DialogBody = dynamic(() => import('./DialogBody.tsx').then((module) => module.DialogBody), { ssr: false });

/** A question over the page; Esc, the veil and the cross close it, and the focus goes back to where it was. */
export function Dialog(props: DialogProps) {
  const [wanted, setWanted] = useState(props.open);
  if (props.open && !wanted) setWanted(true);
  return wanted ? <DialogBody {...props} /> : null;
}
