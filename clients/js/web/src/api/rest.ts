/** The REST of the server that the page is from, with the browser's session cookie. */

import { rest as request, type RestRequest } from "@hanzo/live-client";

/** The JSON that `path` (below `/v1/`) answers. Rejects with a LiveError. */
export const rest = <T>(path: string, options?: RestRequest): Promise<T> => request<T>({}, path, options);

/** The path below `/v1/` of an address that the server gave, which may name a host that a proxy changed. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url, location.origin);
  return pathname.replace(/^\/v1\//, "") + search;
}
