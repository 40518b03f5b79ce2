'use client';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';
import { Wordmark } from './Logo.tsx';
import { isCurrent, PLACES } from './navigation.ts';
import { PlainHttpWarning } from './PlainHttpWarning.tsx';
import { UserMenu } from './UserMenu.tsx';

/** Frame of the studio's pages: places on the left, or at the foot of a narrow screen. `path` is the page's own, '' where it is none. */
export function StudioFrame({ path, children }: { path: string; children: ReactNode }) {
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[12.5rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to content
      </a>
      <Places path={path} />
      <UserMenu />
      <div className="min-w-0 pb-20 md:pb-0">
        <PlainHttpWarning />
        <main id="main" tabIndex={-1} className="mx-auto max-w-330 px-4 py-5 outline-none sm:px-6 md:px-8 md:py-7">
          {children}
        </main>
      </div>
    </div>
  );
}

function Places({ path }: { path: string }) {
  return (
    <>
      <header className="flex h-14 items-center border-b px-4 md:hidden">
        <Link href="/" aria-label="Lowrank: dashboard">
          <Wordmark />
        </Link>
      </header>
      <nav
        aria-label="Places"
        className="fixed inset-x-0 bottom-0 z-30 border-t bg-sunken md:sticky md:inset-auto md:top-0 md:flex md:h-dvh md:flex-col md:border-t-0 md:border-r md:px-3 md:py-5"
      >
        <Link href="/" aria-label="Lowrank: dashboard" className="mb-6 hidden self-start rounded-sm px-2.5 md:block">
          <Wordmark />
        </Link>
        <ul className="grid grid-cols-5 md:grid-cols-1 md:gap-0.5">
          {PLACES.map(({ href, name, icon: Icon }) => {
            const current = isCurrent(href, path);
            return (
              <li key={href}>
                <Link
                  href={href}
                  aria-current={current ? 'page' : undefined}
                  className={classNames(
                    'flex h-14 flex-col items-center justify-center gap-1 text-xs transition-colors md:h-9 md:flex-row md:justify-start md:gap-2.5 md:rounded-md md:px-2.5 md:text-base',
                    current ? 'font-medium text-accent md:bg-hover md:text-ink' : 'text-soft hover:text-ink md:hover:bg-hover',
                  )}
                >
                  <Icon aria-hidden strokeWidth={1.75} className={classNames('size-4.5', current && 'text-accent')} />
                  {name}
                </Link>
              </li>
            );
          })}
        </ul>
      </nav>
    </>
  );
}
