/** Requests to the server's REST, as whom its token or the page's cookie says. Every failure is a LiveError. */

import { csrfHeader } from "./csrf";
import { LiveError, type WireErrorBody } from "./errors";
import { restUrl } from "./url";

/** Where the server is, and who asks. */
export interface RestAccess {
  /** Default: the page's origin, else `ws://localhost:3001`. */
  url?: string | undefined;
  token?: string | undefined;
  getToken?: (() => string | null | Promise<string | null>) | undefined;
  fetch?: typeof fetch | undefined;
}

export interface RestRequest {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
}

/** The JSON that `path` (below `/v1/`) answers; undefined where it answers nothing. Rejects with a LiveError. */
export async function rest<T>(access: RestAccess, path: string, request: RestRequest = {}): Promise<T> {
  const response = await ask(access, path, request);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The response, where it is a good one. Rejects with a LiveError. */
export async function ask(access: RestAccess, path: string, request: RestRequest): Promise<Response> {
  const { token, getToken, fetch = globalThis.fetch } = access;
  const { method = "GET", body, signal = null } = request;
  const bearer = getToken ? await getToken() : token;
  const url = restUrl(path, access.url);
  const headers: Record<string, string> = {
    Accept: "application/json",
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...(bearer ? { Authorization: `Bearer ${bearer}` } : csrfHeader(url)),
    ...request.headers,
  };
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    const message = "The server cannot be reached. Check the network, then try again.";
    throw new LiveError("DISCONNECTED", message, { retryable: true, cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** The error that a response describes, or its status where it is not of our server. */
async function refusal(response: Response): Promise<LiveError> {
  const body = (await response.json().catch(() => null)) as WireErrorBody | null;
  if (typeof body?.code === "string") return LiveError.fromWire(body);
  const retryable = response.status >= 500;
  const message = `The server answered with status ${response.status}. ${retryable ? "Try again." : "Check the address."}`;
  return new LiveError("INTERNAL", message, { retryable });
}
