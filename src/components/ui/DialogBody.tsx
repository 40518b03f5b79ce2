'use client';
import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { Button } from './Button.tsx';

export interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  /** Buttons at the foot. */
  actions?: ReactNode;
}

export function DialogBody({ open, onOpenChange, title, description, children, actions }: DialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 animate-appear bg-veil" />
        <Primitive.Content className="fixed inset-x-3 top-[12dvh] z-50 mx-auto max-h-[80dvh] max-w-lg animate-appear overflow-y-auto rounded-lg border bg-panel p-5 shadow-float">
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
