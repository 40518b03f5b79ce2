'use client';
import { Compass } from 'lucide-react';
import { ButtonLink } from '#/components/ui/Button.tsx';
import { StudioFrame } from './StudioFrame.tsx';

/** What an address shows that leads nowhere: the studio around it, and the ways on. */
export function NoSuchPageBody() {
  return (
    <StudioFrame path="">
      <div className="mx-auto flex max-w-md flex-col items-center py-16 text-center md:py-28">
        <Compass aria-hidden strokeWidth={1.25} className="size-10 text-soft" />
        <h1 className="mt-4 text-2xl">There is no page here</h1>
        <p className="mt-1.5 text-pretty text-soft">
          The address may have been mistyped or cut short. Nothing of yours is lost: jobs, datasets and models are in their lists.
        </p>
        <div className="mt-5 flex flex-wrap justify-center gap-2">
          <ButtonLink href="/" variant="primary">
            To the dashboard
          </ButtonLink>
          <ButtonLink href="/jobs">All jobs</ButtonLink>
        </div>
      </div>
    </StudioFrame>
  );
}
