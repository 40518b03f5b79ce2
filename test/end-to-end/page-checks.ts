/** What every page must pass: axe finds nothing in it, and it complains of nothing. */
import axe from 'axe-core';
import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';

/** What axe finds on the page as it stands, in light and in dark. */
export async function axeFindings(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      const { axe: onPage } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      return (await onPage.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
    });
    found.push(...violations.map((text) => `${colorScheme} ${new URL(page.url()).pathname} ${text}`));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}

/** A browser itself complains of a request that was refused: the API's refusals are told by the page, and a missing page is one. */
function isRefusal(message: ConsoleMessage): boolean {
  const status = /^Failed to load resource: .* status of (\d+)/.exec(message.text())?.[1];
  const path = URL.parse(message.location().url)?.pathname ?? '';
  return status !== undefined && (path.startsWith('/api/') || status === '404');
}

/** Collects every error of every page of a context: thrown, on the console, or reported by the pages' policy. */
export async function watchPages(context: BrowserContext): Promise<string[]> {
  const complaints: string[] = [];
  await context.exposeFunction('complain', (text: string) => complaints.push(text));
  await context.addInitScript(() => {
    const { complain } = globalThis as unknown as { complain(text: string): void };
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) =>
      complain(`${location.pathname} breaks ${effectiveDirective}: ${blockedURI} by ${sourceFile}`),
    );
  });
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !isRefusal(message)) complaints.push(message.text());
    });
  });
  return complaints;
}
