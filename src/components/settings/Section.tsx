import type { ReactNode } from 'react';

/** One subject of the settings: what it is on the left, its controls on the right. */
export function Section({ title, about, children }: { title: string; about: ReactNode; children: ReactNode }) {
  return (
    <section className="grid gap-x-10 gap-y-3 border-t py-6 first:border-t-0 first:pt-1 lg:grid-cols-[16rem_minmax(0,1fr)]">
      <div>
        <h2 className="text-lg">{title}</h2>
        <p className="mt-1 text-pretty text-soft text-sm">{about}</p>
      </div>
      <div className="min-w-0">{children}</div>
    </section>
  );
}
