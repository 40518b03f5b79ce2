'use client';
import { BookOpen, ChevronsUpDown, LogOut, Settings2, Target } from 'lucide-react';
import Link from 'next/link';
import { useRef } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { tellFault } from '#/hooks/notify.ts';
import { type Person, useMe, useSignOut } from '#/hooks/useAccount.ts';

/** Who is signed in, and the way out, within reach on every page: above a narrow page, below the places of a wide one. */
export function UserMenu() {
  const { data: me } = useMe();
  if (me === undefined) return null;
  return (
    <nav
      aria-label="Account"
      className="absolute top-2.5 right-3 z-30 md:fixed md:top-auto md:right-auto md:bottom-4 md:left-3 md:w-43.5"
    >
      {me === null ? (
        <Link href="/sign-in" className="flex h-9 items-center rounded-md px-2.5 font-medium text-accent hover:bg-hover">
          Sign in
        </Link>
      ) : (
        <Menu me={me} />
      )}
    </nav>
  );
}

function Menu({ me }: { me: Person }) {
  const menu = useRef<HTMLDivElement>(null);
  const signOut = useSignOut();
  const name = me.name || me.email;
  return (
    <>
      <button
        type="button"
        popoverTarget="user-menu"
        title={me.email}
        className="flex h-9 w-full items-center gap-2.5 rounded-md text-left text-soft text-sm transition-colors hover:bg-hover hover:text-ink md:px-2"
      >
        <span
          aria-hidden
          className="grid size-7 shrink-0 place-items-center rounded-full border bg-panel font-medium text-ink text-xs uppercase max-md:size-8"
        >
          {Array.from(name)[0]}
        </span>
        <span className="min-w-0 flex-1 truncate max-md:sr-only">{name}</span>
        <span className="sr-only">: settings and sign-out</span>
        <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 max-md:hidden" />
      </button>
      {/* The browser's own popover: it closes by Esc and by a click elsewhere, and the focus goes back by itself. */}
      <div
        ref={menu}
        id="user-menu"
        popover="auto"
        className="inset-auto top-13 right-3 w-60 rounded-lg border bg-panel p-1.5 text-ink shadow-float md:top-auto md:right-auto md:bottom-14 md:left-3"
      >
        <div className="border-b px-2.5 pt-1.5 pb-2.5">
          <p className="truncate font-medium">{name}</p>
          {me.name !== '' && <p className="truncate text-soft text-sm">{me.email}</p>}
          {me.role === 'administrator' && <p className="text-soft text-sm">Administrator</p>}
        </div>
        <div className="grid pt-1.5">
          <Link
            href="/settings"
            onClick={() => menu.current?.hidePopover()}
            className="flex h-9 items-center gap-2.5 rounded-md px-2.5 hover:bg-hover"
          >
            <Settings2 aria-hidden className="size-4 text-soft" />
            Settings
          </Link>
          <Link
            href="/accuracy"
            onClick={() => menu.current?.hidePopover()}
            className="flex h-9 items-center gap-2.5 rounded-md px-2.5 hover:bg-hover"
          >
            <Target aria-hidden className="size-4 text-soft" />
            Accuracy of forecasts
          </Link>
          <Link
            href="/docs"
            onClick={() => menu.current?.hidePopover()}
            className="flex h-9 items-center gap-2.5 rounded-md px-2.5 hover:bg-hover"
          >
            <BookOpen aria-hidden className="size-4 text-soft" />
            API reference
          </Link>
          <Button
            variant="ghost"
            busy={signOut.isPending}
            className="justify-start gap-2.5 px-2.5 font-normal text-ink"
            onClick={() => signOut.mutate(undefined, { onError: (error) => tellFault(error.message) })}
          >
            {!signOut.isPending && <LogOut aria-hidden className="text-soft" />}
            Sign out
          </Button>
        </div>
      </div>
    </>
  );
}
