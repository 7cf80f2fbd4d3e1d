/** What a page that is signed in by cookie proves itself with, as the server's own pages are. */

/** The header for a request to `url`; none for another origin than the page's, which is told nothing. */
export function csrfHeader(url: string): Record<string, string> {
  if (typeof document === "undefined" || new URL(url).origin !== location.origin) return {};
  const token = csrfToken();
  return token ? { "X-CSRFToken": token } : {};
}

/** The token that the page's cookie has; empty where it has none. */
export function csrfToken(): string {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}
