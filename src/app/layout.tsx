import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Providers } from '#/components/shell/Providers.tsx';
import './base.css';

export const metadata: Metadata = {
  title: { default: 'Lowrank', template: '%s · Lowrank' },
  robots: { index: false, follow: false },
};
export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#faf9f5' },
    { media: '(prefers-color-scheme: dark)', color: '#101516' },
  ],
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* It must run before the first paint, so it is neither async nor deferred. */}
        <script src="/theme.js" />
      </head>
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
