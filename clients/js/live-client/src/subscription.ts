/**
 * One log that is being watched, through gaps, reconnects and changes of epoch.
 * Sinks get each event once and in order, and a snapshot whenever what they had is void.
 */

import type { Connection } from "./connection";
import { LiveError } from "./errors";
import { LogPosition } from "./log-position";
import type { LogEvent, SubscribeOk } from "./protocol.generated";

export interface SubscribeOptions {
  /** Also deliver the model's thoughts. */
  showThoughts?: boolean | undefined;
  /** Least time between frames. */
  flushInterval?: number | undefined;
  /** Tokens after which a frame comes earlier. */
  bufferSize?: number | undefined;
  /** Messages in a snapshot. */
  tail?: number | undefined;
}

export interface LogSink {
  event(event: LogEvent): void;
  /** Subscribed, at first or again: every event from here on follows, and of those that are not logged some may be missing. */
  opened?(): void;
  /** The subscription has ended and no event will follow: refused, or taken away (`reason` of `unsubscribed`). */
  ended(error: LiveError): void;
}

const RETRY_MS = 1000;
/** Gaps in a row, with nothing applied between them, after which a snapshot is asked for instead of a replay. */
const FUTILE_GAPS = 2;

const ENDINGS: Record<string, string> = {
  removed: "You are no longer a member of this session.",
  deleted: "This session was deleted.",
};

export class Subscription {
  readonly sinks = new Set<LogSink>();
  readonly position = new LogPosition();
  /** The log's own name, once the server told it (sessions may be asked for by slug). */
  log: string;
  #request = 0;
  #futile = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Those that would rather have no more events for now. */
  readonly #waiting = new Set<LogSink>();
  #resting = false;
  readonly #connection: Connection;
  readonly #onEnded: (subscription: Subscription) => void;

  constructor(
    /** The name under which it was asked for. */
    readonly asked: string,
    public options: SubscribeOptions,
    connection: Connection,
    onEnded: (subscription: Subscription) => void,
  ) {
    this.#connection = connection;
    this.#onEnded = onEnded;
    this.log = asked;
  }

  /** Asks the server for the log from where we are; until it answers, frames of the log are dropped. */
  renew(): void {
    this.#resting = this.#isUnwanted();
    if (this.#closed || this.#resting || this.#connection.state.status !== "live") return;
    clearTimeout(this.#retry);
    this.position.suspend();
    const request = ++this.#request;
    const { showThoughts = false, flushInterval, bufferSize, tail } = this.options;
    this.#connection
      .request(
        {
          type: "subscribe",
          log: this.asked,
          ...this.position.have(),
          show_thoughts: showThoughts,
          flush_ms: flushInterval,
          buffer_size: bufferSize,
          tail,
        },
        {
          onOk: (reply) => {
            if (request !== this.#request || this.#closed) return;
            const ok = reply as unknown as SubscribeOk;
            this.log = ok.log;
            this.position.resume(ok);
            for (const sink of [...this.sinks]) sink.opened?.();
          },
        },
      )
      .catch((reason: unknown) => {
        if (request === this.#request && !this.#closed) this.#refused(LiveError.from(reason));
      });
  }

  /** `sink` wants no more events for now, or wants them again: all that it has not had, in order. */
  hold(sink: LogSink, held: boolean): void {
    if (held) this.#waiting.add(sink);
    else this.#waiting.delete(sink);
    this.settle();
  }

  leave(sink: LogSink): void {
    this.sinks.delete(sink);
    this.#waiting.delete(sink);
    if (this.sinks.size > 0) this.settle();
  }

  /** While nobody wants events the server sends none; afterwards it goes on from where we are. */
  settle(): void {
    const resting = this.#resting;
    if (this.#closed || this.#isUnwanted() === resting) return;
    this.renew();
    if (resting || this.#connection.state.status !== "live") return;
    this.suspend();
    this.#connection.request({ type: "unsubscribe", log: this.log }).catch(() => undefined);
  }

  /** The connection is gone. */
  suspend(): void {
    this.#request += 1;
    clearTimeout(this.#retry);
    this.position.suspend();
  }

  /** `stream.start` subscribed us: live from `seq` on. */
  adopt(ok: { log: string; epoch: string; seq: number }): void {
    this.log = ok.log;
    this.position.resume({ mode: "live", epoch: ok.epoch, seq: ok.seq });
  }

  take(event: LogEvent): void {
    if (this.#closed) return;
    const verdict = this.position.take(event);
    if (verdict === "gap") {
      if (++this.#futile > FUTILE_GAPS) this.position.forget();
      this.renew();
      return;
    }
    if (verdict === "drop") return;
    this.#futile = 0;
    for (const sink of [...this.sinks]) sink.event(event);
    if (event.type === "unsubscribed" && event.reason === "archived") {
      // It can still be watched, and says when it is opened again.
      this.renew();
    } else if (event.type === "unsubscribed") {
      this.end(new LiveError("FORBIDDEN", ENDINGS[event.reason] ?? "Access to this log has ended."));
    }
  }

  /** No more frames are wanted. Says nothing to the server. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  end(error: LiveError): void {
    if (this.#closed) return;
    this.close();
    for (const sink of [...this.sinks]) sink.ended(error);
    this.#onEnded(this);
  }

  #isUnwanted(): boolean {
    return this.sinks.size > 0 && [...this.sinks].every((sink) => this.#waiting.has(sink));
  }

  #refused(error: LiveError): void {
    // A lost connection asks again by itself when it is back.
    if (error.code === "DISCONNECTED") return;
    if (!error.retryable) {
      this.end(error);
      return;
    }
    this.#retry = setTimeout(() => this.renew(), Math.max(RETRY_MS, (error.retryAfter ?? 0) * 1000));
  }
}
