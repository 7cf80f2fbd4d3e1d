/** Addresses: callers give a bare base URL, the paths are added here. */

const FALLBACK = "ws://localhost:3001";
const SOCKET_PATH = "/v1/live";

function base(url: string | undefined): URL {
  const origin =
    typeof location !== "undefined" && /^https?:/.test(location.origin) ? location.origin : FALLBACK;
  const parsed = new URL(url ?? origin, origin);
  parsed.pathname = parsed.pathname.replace(/\/+$/, "").replace(/\/v1\/live$/, "");
  parsed.search = "";
  parsed.hash = "";
  return parsed;
}

/** Where the socket is: `ws(s)://host/v1/live`. */
export function socketUrl(url?: string): string {
  return address("ws", url) + SOCKET_PATH;
}

/** Where REST has `path`: `http(s)://host/v1/<path>`. */
export function restUrl(path: string, url?: string): string {
  return `${address("http", url)}/v1/${path}`;
}

function address(scheme: "ws" | "http", url: string | undefined): string {
  const { protocol, host, pathname } = base(url);
  const secure = protocol === "https:" || protocol === "wss:" ? "s" : "";
  return `${scheme}${secure}://${host}${pathname.replace(/\/$/, "")}`;
}
