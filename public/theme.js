// Runs before the first paint: a theme that the reader chose overrides the system's, without a flash.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed to us: the system's own theme stays.
}
