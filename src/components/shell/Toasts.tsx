'use client';
import type { CSSProperties } from 'react';
import { Toaster } from 'sonner';

const OURS = {
  '--normal-bg': 'var(--color-panel)',
  '--normal-border': 'var(--color-edge)',
  '--normal-text': 'var(--color-ink)',
  '--gray2': 'var(--color-hover)',
  '--gray5': 'var(--color-edge)',
  '--border-radius': 'var(--radius-md)',
} as CSSProperties;

/** Where short messages appear: above the places of a narrow screen, in the studio's own colours. */
export function Toasts() {
  return <Toaster position="bottom-right" closeButton style={OURS} mobileOffset={{ bottom: '4.5rem' }} />;
}
