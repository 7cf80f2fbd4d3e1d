/** What a page that is signed in by cookie proves itself with, as the server's own pages are. */

/** The header for a request to `url`; none for another origin than the page's, which is told nothing. */
export function csrfHeader(url: string): Record<string, string> {
  if (typeof document === "undefined" || new URL(url).origin !== location.origin) return {};
  const token = /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1];
  return token ? { "X-CSRFToken": token } : {};
}
