/** Canvas knows no CSS variables: their colours as the reader's theme has them now. */
const NAMES = ['accent', 'copper', 'ink', 'soft', 'line', 'panel'] as const;
export type ThemeColours = Record<(typeof NAMES)[number], string>;

export function themeColours(): ThemeColours {
  const probe = document.createElement('i');
  probe.hidden = true;
  document.body.append(probe);
  const colours = Object.fromEntries(
    NAMES.map((name) => {
      probe.style.color = `var(--color-${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  ) as ThemeColours;
  probe.remove();
  return colours;
}

/** Calls `changed` when the theme does, by the system or by the toggle; returns how to stop. */
export function onThemeChange(changed: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(changed);
  system.addEventListener('change', changed);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', changed);
    chosen.disconnect();
  };
}
