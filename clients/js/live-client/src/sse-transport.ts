/** The three HTTP requests of a stream, and the events of their answers. Knows nothing of trying again. */

import { LiveError } from "./errors";
import { ask, type RestAccess } from "./rest";
import { SseParser, type ServerSentEvent } from "./sse-parser";

/** The server sends something every 15 s: after so much silence the connection is dead. */
const SILENCE_MS = 40_000;

const EVENT_STREAM = "text/event-stream";

export class SseTransport {
  readonly #access: RestAccess;
  readonly #signal: AbortSignal;

  constructor(access: RestAccess, signal: AbortSignal) {
    this.#access = access;
    this.#signal = signal;
  }

  /** Starts a stream whose events the response is. Rejects with a LiveError. */
  startAndRead(body: object): Promise<Response> {
    return this.#ask("POST", "streams", { body, accept: EVENT_STREAM });
  }

  /** Starts a stream; gives its id. */
  async start(body: object): Promise<string> {
    const response = await this.#ask("POST", "streams", { body });
    return ((await response.json()) as { stream: string }).stream;
  }

  /** What follows `lastId` (an event's id), or all of it; 204 where nothing does. */
  read(stream: string, lastId: string, showThoughts: boolean): Promise<Response> {
    const path = `streams/${encodeURIComponent(stream)}/events${showThoughts ? "?show_thoughts=true" : ""}`;
    return this.#ask("GET", path, { accept: EVENT_STREAM, lastId });
  }

  async stop(stream: string): Promise<void> {
    await this.#ask("POST", `streams/${encodeURIComponent(stream)}/stop`, {});
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

  #ask(
    method: string,
    path: string,
    { body, accept, lastId }: { body?: object; accept?: string; lastId?: string },
  ): Promise<Response> {
    const headers = { ...(accept ? { Accept: accept } : {}), ...(lastId ? { "Last-Event-ID": lastId } : {}) };
    return ask(this.#access, path, { method, body, headers, signal: this.#signal });
  }
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
