/** All that answers without a session or key, and why. Everything else is refused before it is looked up. */
export const PUBLIC_ROUTES: ReadonlySet<string> = new Set([
  // For whoever watches the process.
  'GET /api/health',
  'GET /api/ready',
  // Ways in: each proves its caller by a password or a token of its own.
  'POST /api/auth/sign-in',
  'POST /api/sign-in-link',
  'POST /api/sign-up',
  'POST /api/first-run',
  // Says only whether set-up is needed, so that the first visit finds its page.
  'GET /api/first-run',
  // By a token of its own: signed for one user, file and quarter of an hour.
  'GET /api/downloads/{token}',
]);
