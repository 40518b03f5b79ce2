import { useEffect, useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

/** The reader's choice, kept in this browser; `public/theme.js` applies it before the first paint. */
export function chosenTheme(): Theme {
  try {
    const kept = globalThis.localStorage?.getItem('theme');
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    // Storage is closed to us.
    return 'system';
  }
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>('system');
  useEffect(() => setTheme(chosenTheme()), []);
  const choose = (next: Theme) => {
    setTheme(next);
    if (next === 'system') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem('theme');
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem('theme', next);
    }
  };
  return [theme, choose];
}
