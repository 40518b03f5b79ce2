import { existsSync } from 'node:fs';

/** Headless, without the traffic of its own that a closed network refuses. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The Chromium that set-up found or installed. Throws with the way out: no test of pages passes without a browser. */
export function findChromium(): string {
  const places = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('No Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH');
  return found;
}
