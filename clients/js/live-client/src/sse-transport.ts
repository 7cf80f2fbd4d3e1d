/** The three HTTP requests of a stream, and the events of their answers. Knows nothing of trying again. */

import { csrfHeader } from "./csrf";
import { LiveError, type WireErrorBody } from "./errors";
import { SseParser, type ServerSentEvent } from "./sse-parser";
import { restUrl } from "./url";

export interface TransportOptions {
  url?: string | undefined;
  token?: string | undefined;
  getToken?: (() => string | null | Promise<string | null>) | undefined;
  fetch?: typeof fetch | undefined;
}

/** The server sends something every 15 s: after so much silence the connection is dead. */
const SILENCE_MS = 40_000;

const EVENT_STREAM = "text/event-stream";

export class SseTransport {
  constructor(
    private readonly options: TransportOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts a stream whose events the response is. Rejects with a LiveError. */
  startAndRead(body: object): Promise<Response> {
    return this.ask("POST", "streams", { body, accept: EVENT_STREAM });
  }

  /** Starts a stream; gives its id. */
  async start(body: object): Promise<string> {
    const response = await this.ask("POST", "streams", { body });
    return ((await response.json()) as { stream: string }).stream;
  }

  /** What follows `lastId` (an event's id), or all of it; 204 where nothing does. */
  read(stream: string, lastId: string, showThoughts: boolean): Promise<Response> {
    const path = `streams/${encodeURIComponent(stream)}/events${showThoughts ? "?show_thoughts=true" : ""}`;
    return this.ask("GET", path, { accept: EVENT_STREAM, lastId });
  }

  async stop(stream: string): Promise<void> {
    await this.ask("POST", `streams/${encodeURIComponent(stream)}/stop`, {});
  }

  /** The events of a response, until it ends or breaks (then it throws a LiveError). */
  async *events(response: Response): AsyncGenerator<ServerSentEvent, void, undefined> {
    const reader = response.body?.getReader();
    if (!reader) return;
    const parser = new SseParser();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await unlessSilent(reader.read());
        if (done) return;
        yield* parser.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  private async ask(
    method: string,
    path: string,
    { body, accept = "application/json", lastId }: { body?: object; accept?: string; lastId?: string },
  ): Promise<Response> {
    const { token, getToken, fetch = globalThis.fetch } = this.options;
    const bearer = getToken ? await getToken() : token;
    const headers: Record<string, string> = { Accept: accept };
    if (body) headers["Content-Type"] = "application/json";
    if (lastId) headers["Last-Event-ID"] = lastId;
    const url = restUrl(path, this.options.url);
    if (bearer) headers["Authorization"] = `Bearer ${bearer}`;
    else Object.assign(headers, csrfHeader(url));
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        signal: this.signal,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    } catch (cause) {
      throw disconnected("The server cannot be reached. Check the network.", cause);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** The error that a response describes, or its status where it is not of our server. */
async function refusal(response: Response): Promise<LiveError> {
  const body = (await response.json().catch(() => null)) as WireErrorBody | null;
  if (typeof body?.code === "string") return LiveError.fromWire(body);
  const message = `The server answered ${response.status} without saying why. Check the address.`;
  return new LiveError("INTERNAL", message, { retryable: response.status >= 500 });
}

async function unlessSilent<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The server fell silent.")), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } catch (cause) {
    throw disconnected("The connection was lost while the answer was read.", cause);
  } finally {
    clearTimeout(timer);
  }
}

function disconnected(message: string, cause: unknown): LiveError {
  return new LiveError("DISCONNECTED", message, { retryable: true, cause });
}
