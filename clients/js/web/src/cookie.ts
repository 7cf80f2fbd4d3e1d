/** The CSRF token that Django keeps in a cookie. */

export function csrfToken(): string {
  const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith("csrftoken="));
  return pair ? decodeURIComponent(pair.slice("csrftoken=".length)) : "";
}
