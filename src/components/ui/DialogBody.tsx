'use client';
import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import { type ReactNode, useRef } from 'react';
import { classNames } from '#/components/class-names.ts';
import { Button } from './Button.tsx';

export interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  /** As wide as the screen takes it, for pictures. */
  wide?: boolean;
  /** Buttons at the foot. */
  actions?: ReactNode;
}

export function DialogBody({ open, onOpenChange, title, description, children, actions, wide }: DialogProps) {
  const before = useRef<Element | null>(null);
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 animate-appear bg-veil" />
        <Primitive.Content
          // Radix gives the focus back to a trigger of its own, which these have not.
          onOpenAutoFocus={() => {
            before.current = document.activeElement;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (before.current instanceof HTMLElement) before.current.focus();
          }}
          className={classNames(
            'fixed inset-x-3 z-50 mx-auto animate-appear overflow-y-auto rounded-lg border bg-panel p-5 shadow-float',
            wide ? 'top-[4dvh] max-h-[92dvh] max-w-4xl' : 'top-[12dvh] max-h-[80dvh] max-w-lg',
          )}
        >
          <div className="flex items-start justify-between gap-4">
            <Primitive.Title className="text-lg">{title}</Primitive.Title>
            <Primitive.Close asChild>
              <Button variant="ghost" size="icon" aria-label="Close" className="-mt-1 -mr-1.5">
                <X aria-hidden />
              </Button>
            </Primitive.Close>
          </div>
          <Primitive.Description asChild>
            <div className="mt-1 text-soft">{description}</div>
          </Primitive.Description>
          {children && <div className="mt-4">{children}</div>}
          {actions && <div className="mt-5 flex flex-wrap justify-end gap-2">{actions}</div>}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
