/**
 * One answer as it is written: iterate it for text or for events, more than once if you like, and stop it.
 * It is no promise: `await` gives the same object. Failures, also those to start, surface where it is read.
 * Where all who iterate it are slow, the server is asked for no more until one of them has caught up.
 */

import { LiveError } from "./errors";
import { EventQueue } from "./event-queue";
import { missedOfCall } from "./missed-calls";
import { Readers } from "./readers";
import { callsOfParts } from "./reply-parts";
import { foldStream, isOver, newStream, streamFromSnapshot, type StreamState } from "./stream-state";
import type { LogEvent, SnapshotStream, StreamEvent } from "./protocol.generated";

const KINDS: ReadonlySet<string> = new Set<StreamEvent["type"]>([
  "stream_start",
  "token",
  "thought",
  "tool_call",
  "tool_result",
  "reset",
  "complete",
  "error",
]);

/** What a stream needs of whoever runs it. */
export interface StreamControl {
  stop(id: string): Promise<void>;
}

export class LiveStream<Item extends string | StreamEvent = string> implements AsyncIterable<Item> {
  #current: StreamState | null = null;
  /** From the start, for whoever comes later. */
  readonly #log = new EventQueue();
  /** What each iterator of events has not been given yet. */
  readonly #queues = new Set<EventQueue>();
  readonly #readers = new Readers((held) => {
    if (!this.isOver) this.#hold(held);
  });
  #hold: (held: boolean) => void = () => undefined;
  /** Why no event will come any more. */
  #failure: { readonly reason: unknown } | null = null;
  #stopWanted = false;
  #waiters: (() => void)[] = [];

  readonly #yields: "text" | "events";
  readonly #control: StreamControl;

  constructor(yields: "text" | "events", control: StreamControl) {
    this.#yields = yields;
    this.#control = control;
  }

  /** The stream's id; null until the server has given it one. */
  get id(): string | null {
    return this.#current?.id ?? null;
  }

  /** Everything known of it; null until the server has started it. */
  get state(): StreamState | null {
    return this.#current;
  }

  get isOver(): boolean {
    return this.#failure !== null || (this.#current !== null && isOver(this.#current.status));
  }

  /** Text or events, as it was asked for. Throws a LiveError where the stream fails. */
  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return (this.#yields === "text" ? this.#strings() : this.events()) as AsyncIterator<Item>;
  }

  /** Every event from the start, the terminal one included. Throws only where the terminal event cannot be had. */
  async *events(): AsyncGenerator<StreamEvent, void, undefined> {
    const queue = this.#log.copy();
    const reader = { unread: () => queue.weight };
    this.#queues.add(queue);
    this.#readers.add(reader);
    try {
      for (;;) {
        const event = queue.shift();
        this.#readers.balance();
        if (event) {
          yield event;
          if (event.type === "complete" || event.type === "error") return;
        } else if (this.#failure) {
          throw this.#failure.reason;
        } else {
          await this.#change();
        }
      }
    } finally {
      this.#queues.delete(queue);
      this.#readers.remove(reader);
    }
  }

  /** The whole text, once it is whole. Rejects with a LiveError that has the text so far. */
  async text(): Promise<string> {
    const reader = { unread: () => 0 };
    this.#readers.add(reader);
    while (!this.isOver) await this.#change();
    this.#readers.remove(reader);
    this.#throwIfFailed();
    return this.#current?.content ?? "";
  }

  /** Ends the answer; what was written so far stays. Resolves when the server has taken it. */
  async stop(): Promise<void> {
    if (this.isOver) return;
    if (this.#current) await this.#control.stop(this.#current.id);
    else this.#stopWanted = true;
  }

  /** The server gave it an id. `hold` is called where readers want no more events for now, and where they do again. */
  begin(id: string, hold?: (held: boolean) => void): void {
    this.#current = newStream(id);
    if (hold) this.#hold = hold;
    this.#wake();
    if (this.#stopWanted) this.#control.stop(id).catch(() => undefined);
  }

  /** An event of its log, in order and once; others' are ignored. True when it was the last that matters. */
  take(event: LogEvent): boolean {
    if (!this.#current || this.isOver) return this.isOver;
    if (event.type === "snapshot") {
      const snapshot = event.state.streams.find(({ id }) => id === this.#current?.id);
      if (snapshot) this.#catchUp(snapshot, event);
      else this.#catchUpFromTranscript(event);
    } else if ("stream" in event && event.stream === this.#current.id) {
      this.#current = foldStream(this.#current, event);
      if (KINDS.has(event.type)) this.#keep(event as StreamEvent);
    } else {
      return false;
    }
    this.#wake();
    this.#readers.balance();
    return this.isOver;
  }

  /** No event will come any more. */
  fail(error: LiveError): void {
    if (this.isOver) return;
    const reason = this.#current
      ? new LiveError("STREAM_INTERRUPTED", error.message, {
          retryable: true,
          stream: this.#current.id,
          text: this.#current.content,
          cause: error,
        })
      : error;
    this.#failure = { reason };
    this.#wake();
  }

  /** Nobody wants it any more: it is stopped, and whoever reads it gets `reason`, as `fetch` does it. */
  abort(reason: unknown): void {
    if (this.isOver) return;
    this.stop().catch(() => undefined);
    this.leave(reason);
  }

  /** Nobody reads it any more, and it goes on without us: whoever does gets `reason`. */
  leave(reason: unknown): void {
    if (this.isOver) return;
    this.#failure = { reason };
    this.#wake();
  }

  async *#strings(): AsyncGenerator<string, void, undefined> {
    let had = "";
    const reader = { unread: () => (this.#current?.content.length ?? 0) - had.length };
    this.#readers.add(reader);
    try {
      for (;;) {
        const text = this.#current?.content ?? "";
        const shared = Math.min(had.length, text.length);
        // After a `reset` the text begins again; as long as it says the same, a reader of strings need not know.
        if (text !== had && text.slice(0, shared) !== had.slice(0, shared)) throw this.#begunAgain(had);
        if (text.length > had.length) {
          const more = text.slice(had.length);
          had = text;
          this.#readers.balance();
          yield more;
        } else if (this.isOver) {
          this.#throwIfFailed();
          if (text.length < had.length) throw this.#begunAgain(had);
          return;
        } else {
          await this.#change();
        }
      }
    } finally {
      this.#readers.remove(reader);
    }
  }

  #keep(event: StreamEvent): void {
    this.#log.push(event);
    for (const queue of this.#queues) queue.push(event);
  }

  #begunAgain(text: string): LiveError {
    const message = "The answer began again with another text. Read `events()` to follow a `reset`.";
    return new LiveError("STREAM_INTERRUPTED", message, {
      retryable: true,
      stream: this.#current?.id ?? "",
      text,
    });
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.reason;
    const { error, id, content } = this.#current ?? {};
    if (error) throw LiveError.fromWire(error, { stream: id ?? "", text: content ?? "" });
  }

  /** After a cut: what a snapshot has more than we do, told as events. */
  #catchUp(snapshot: SnapshotStream, at: { log: string; seq: number; ts?: number | null }): void {
    const before = this.#current ?? newStream(snapshot.id);
    this.#current = streamFromSnapshot(snapshot, before);
    const stream = snapshot.id;
    const base = { log: at.log, seq: at.seq, ts: at.ts ?? Date.now(), stream };
    let had = before;
    const extends_ =
      snapshot.content.startsWith(had.content) &&
      had.thoughts.every((thought, step) => snapshot.thoughts[step]?.startsWith(thought) ?? false) &&
      had.toolCalls.every(({ call }) => snapshot.tool_calls.some((each) => each.call === call));
    if (!extends_) {
      this.#keep({
        ...base,
        type: "reset",
        reason: "The answer began again while the connection was away.",
      });
      had = newStream(stream);
    }
    snapshot.thoughts.forEach((thought, step) => {
      const data = thought.slice(had.thoughts[step]?.length ?? 0);
      if (data) this.#keep({ ...base, type: "thought", step, data, n: 0 });
    });
    for (const call of snapshot.tool_calls) {
      const known = had.toolCalls.find((each) => each.call === call.call);
      for (const missed of missedOfCall(known, call)) this.#keep({ ...base, ...missed });
    }
    const data = snapshot.content.slice(had.content.length);
    if (data) this.#keep({ ...base, type: "token", data, n: 0 });
    this.#pushEnd(base);
  }

  /** A session's snapshot has only running streams: one that is not there has ended, and its message has the text. */
  #catchUpFromTranscript(event: Extract<LogEvent, { type: "snapshot" }>): void {
    const id = this.#current?.id;
    const message = event.state.messages.find(({ stream }) => stream === id);
    if (!id || !message || !isOver(message.status)) return;
    const failed = {
      code: "stream_interrupted" as const,
      message: "The answer failed while the connection was away. Ask again.",
      retryable: true,
    };
    this.#catchUp(
      {
        id,
        message: message.id,
        status: message.status,
        content: message.content,
        thoughts: [...(this.#current?.thoughts ?? [])],
        tool_calls: [...callsOfParts(message.parts, this.#current?.toolCalls ?? [])],
        usage: null,
        finish_reason: message.finish_reason,
        error: message.status === "failed" ? failed : null,
      },
      event,
    );
  }

  #pushEnd(base: { log: string; seq: number; ts: number; stream: string }): void {
    const state = this.#current;
    if (!state || !isOver(state.status)) return;
    const { tokens } = state;
    const usage = state.usage ?? {
      prompt_tokens: 0,
      completion_tokens: tokens,
      total_tokens: tokens,
      estimated: true,
    };
    const end = { ...base, usage, thoughts_ms: [...state.thoughtsMs] };
    if (state.error) {
      this.#keep({ ...end, ...state.error, type: "error", partial: state.content !== "" });
    } else {
      this.#keep({
        ...end,
        type: "complete",
        finish_reason: state.finishReason ?? "stop",
        stopped_by: state.stoppedBy,
        duration_ms: state.durationMs ?? 0,
        first_token_ms: null,
        tokens_per_second: state.tokensPerSecond,
        cached: state.cached,
        similarity: null,
        message: state.message,
      });
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
