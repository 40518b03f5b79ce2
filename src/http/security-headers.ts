/** What every answer carries, page or API. Behind https, browsers are told to stay there. */
export function securityHeaders(base_url: string): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...(base_url.startsWith('https:') && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
}

/** An API answer that a browser opens as a document may load and run nothing. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox";

/** What every answer carries that is no page: those of the API, and every refusal. */
export function apiHeaders(base_url: string): Record<string, string> {
  return { ...securityHeaders(base_url), 'Content-Security-Policy': API_POLICY };
}
