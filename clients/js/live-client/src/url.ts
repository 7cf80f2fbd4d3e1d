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
  const parsed = base(url);
  const scheme = parsed.protocol === "https:" || parsed.protocol === "wss:" ? "wss:" : "ws:";
  return `${scheme}//${parsed.host}${parsed.pathname.replace(/\/$/, "")}${SOCKET_PATH}`;
}
