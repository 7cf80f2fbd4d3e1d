/** The server's REST, with the browser's session cookie. Every failure is a LiveError with words for a person. */

import { LiveError, type WireErrorBody } from "@hanzo/live-client";
import { csrfToken } from "../cookie";

interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** The JSON that `path` answers. Rejects with a LiveError; an aborted request with the abort's own error. */
export async function rest<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = "GET", body, signal } = options;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new LiveError("DISCONNECTED", "The server cannot be reached. Check the network, then try again.", {
      retryable: true,
      cause,
    });
  }
  if (response.status === 204) return undefined as T;
  const parsed: unknown = await response.json().catch(() => null);
  if (response.ok) return parsed as T;
  if (parsed !== null && typeof parsed === "object" && "code" in parsed)
    throw LiveError.fromWire(parsed as WireErrorBody);
  throw new LiveError("INTERNAL", `The server answered with status ${response.status}. Try again.`, {
    retryable: true,
  });
}

/** The path of an address that the server gave, which may name a host that a proxy changed. */
export function pathOf(url: string): string {
  const parsed = new URL(url, location.origin);
  return parsed.pathname + parsed.search;
}
