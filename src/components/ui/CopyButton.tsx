'use client';
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { tellFault } from '#/hooks/notify.ts';
import { Button } from './Button.tsx';

/** Puts `text` on the clipboard and says so. Without a clipboard (plain HTTP elsewhere) it says how to copy by hand. */
export function CopyButton({ text, label = 'Copy' }: { text: string | (() => string); label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      setCopied(true);
    } catch {
      tellFault('The browser does not let this page copy. Select the text and press Ctrl+C.');
    }
  };
  return (
    <Button size="sm" onClick={copy} aria-label={label}>
      {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      <span aria-live="polite">{copied ? 'Copied' : label}</span>
    </Button>
  );
}
