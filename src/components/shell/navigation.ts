import { Activity, Database, Gauge, type LucideIcon, Package, Settings2 } from 'lucide-react';

export const PLACES: readonly { href: string; name: string; icon: LucideIcon }[] = [
  { href: '/', name: 'Dashboard', icon: Gauge },
  { href: '/jobs', name: 'Jobs', icon: Activity },
  { href: '/datasets', name: 'Datasets', icon: Database },
  { href: '/models', name: 'Models', icon: Package },
  { href: '/settings', name: 'Settings', icon: Settings2 },
];

/** A place is current on its own page and on those below it. */
export function isCurrent(href: string, path: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
}
