/** Answers over server-sent events, for where WebSockets do not get through: one request a stream, plain HTTP. */

import { onAbort } from "./abort";
import type { ReconnectOptions } from "./backoff";
import { LiveError } from "./errors";
import { newKey } from "./key";
import { LiveStream } from "./live-stream";
import { answerFields, withDefaults, type StreamDefaults, type StreamRequest } from "./options";
import { follow } from "./sse-follow";
import type { RestAccess } from "./rest";
import { SseTransport } from "./sse-transport";
import type { StreamEvent } from "./protocol.generated";

export interface HanzoLiveSSEOptions extends StreamDefaults, RestAccess {
  reconnect?: ReconnectOptions;
}

/** An event of a stream: `data` is a token's or a thought's text, `detail` the whole event of the wire. */
export class LiveSentEvent<T extends StreamEvent = StreamEvent> extends Event {
  readonly data: string;

  constructor(
    type: string,
    readonly detail: T | null,
    /** With `error`: what went wrong. */
    readonly error: LiveError | null = null,
  ) {
    super(type);
    this.data = detail && "data" in detail ? detail.data : "";
  }
}

type Of<T extends StreamEvent["type"]> = Extract<StreamEvent, { type: T }>;

/** One answer, as its events come: listen to `token`, `complete`, `error` and the wire's others. */
export class LiveEventSource extends EventTarget {
  readonly #live: LiveStream;
  readonly #leave: () => void;

  constructor(live: LiveStream, leave: () => void) {
    super();
    this.#live = live;
    this.#leave = leave;
    void this.#dispatch();
  }

  /** The stream's id; null until the server has given it one. */
  get id(): string | null {
    return this.#live.id;
  }

  /** The whole text, once it is whole. Rejects with a LiveError that has the text so far. */
  text(): Promise<string> {
    return this.#live.text();
  }

  /** Ends the answer on the server; what was written so far stays. */
  stop(): Promise<void> {
    return this.#live.stop();
  }

  /** Reads no further; the answer goes on without us. */
  close(): void {
    this.#leave();
  }

  override addEventListener<T extends StreamEvent["type"]>(
    type: T,
    listener: ((event: LiveSentEvent<Of<T>>) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options);
  }

  async #dispatch(): Promise<void> {
    try {
      for await (const event of this.#live.events()) {
        const error = event.type === "error" ? LiveError.fromWire(event, { stream: event.stream }) : null;
        this.dispatchEvent(new LiveSentEvent(event.type, event, error));
      }
    } catch (reason) {
      // Closed by us: nobody waits for more.
      if (reason !== CLOSED) this.dispatchEvent(new LiveSentEvent("error", null, LiveError.from(reason)));
    }
  }
}

const CLOSED = new LiveError("DISCONNECTED", "It was closed.");

export class HanzoLiveSSE {
  readonly #options: HanzoLiveSSEOptions;

  constructor(options: HanzoLiveSSEOptions = {}) {
    this.#options = options;
  }

  /** Asks a model. Given at once; awaiting it gives the same object. Failures come as `error` events. */
  stream(request: StreamRequest): LiveEventSource {
    const { signal, session, messages, content, ...answer } = withDefaults(this.#options, request);
    const reading = new AbortController();
    const transport = new SseTransport(this.#options, reading.signal);
    const stopping = new SseTransport(this.#options, new AbortController().signal);
    const live = new LiveStream("text", { stop: (id) => stopping.stop(id) });
    const off = signal ? onAbort(signal, (reason) => live.abort(reason)) : () => undefined;
    const key = answer.key ?? newKey();
    const body = { session, messages, content, ...answerFields({ ...answer, key }) };
    void follow(live, transport, { body, reconnect: this.#options.reconnect ?? {}, signal: reading.signal }).then(off);
    return new LiveEventSource(live, () => {
      reading.abort();
      live.leave(CLOSED);
    });
  }
}
