'use client';
import { TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** Over plain HTTP on another address everybody in between reads passwords and keys: that is said on every page. */
export function PlainHttpWarning() {
  const [plain, setPlain] = useState(false);
  useEffect(() => setPlain(location.protocol === 'http:' && !LOCAL.includes(location.hostname)), []);
  if (!plain) return null;
  return (
    <p role="note" className="flex items-start gap-2 border-b bg-warn-wash px-4 py-2 text-sm text-warn md:px-8">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>
        This page came over plain HTTP: passwords and keys can be read on the way. Put HTTPS in front and set PUBLIC_URL.
      </span>
    </p>
  );
}
