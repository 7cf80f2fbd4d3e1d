/** All logs watched over one connection: each once, however many are interested in it. */

import type { Connection } from "./connection";
import type { LiveError } from "./errors";
import { Subscription, type LogSink, type SubscribeOptions } from "./subscription";
import type { StreamStartOk } from "./protocol.generated";

export class Subscriptions {
  readonly #all = new Set<Subscription>();

  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("frame", (event) => {
      for (const subscription of [...this.#all]) if (subscription.log === event.log) subscription.take(event);
    });
    connection.on("open", () => {
      for (const subscription of this.#all) subscription.renew();
    });
    connection.on("state", (state) => {
      if (state.status === "live") return;
      for (const subscription of this.#all) subscription.suspend();
    });
  }

  /** Watches `log`; the result stops that. The first thing a sink gets is a snapshot. */
  add(log: string, sink: LogSink, options: SubscribeOptions = {}): () => void {
    let subscription = this.#find(log);
    if (!subscription) {
      subscription = this.#create(log, options);
      subscription.sinks.add(sink);
    } else {
      // A newcomer needs the whole: everybody gets a snapshot again, and nobody less than they asked for.
      subscription.options = widest(subscription.options, options);
      subscription.sinks.add(sink);
      subscription.position.forget();
    }
    subscription.renew();
    const joined = subscription;
    return () => this.#leave(joined, sink);
  }

  /** Watches a log to which `stream.start` has just subscribed us. To be called before the next frame is read. */
  adopt(ok: StreamStartOk, sink: LogSink, options: SubscribeOptions): () => void {
    let subscription = this.#find(ok.log);
    const isNew = !subscription;
    subscription ??= this.#create(ok.log, options);
    subscription.sinks.add(sink);
    if (!isNew) subscription.settle();
    else if (typeof ok.epoch === "string" && typeof ok.seq === "number")
      subscription.adopt({ log: ok.log, epoch: ok.epoch, seq: ok.seq });
    else subscription.renew();
    const joined = subscription;
    return () => this.#leave(joined, sink);
  }

  /** `sink` wants no more events of `log` for now, or wants them again. */
  hold(log: string, sink: LogSink, held: boolean): void {
    this.#find(log)?.hold(sink, held);
  }

  /** Stops watching `log` for everybody here. */
  async remove(log: string): Promise<void> {
    const subscription = this.#find(log);
    if (subscription) await this.#drop(subscription);
  }

  /** The client is taken down: every sink hears why. */
  endAll(error: LiveError): void {
    for (const subscription of [...this.#all]) subscription.end(error);
  }

  #find(log: string): Subscription | undefined {
    for (const subscription of this.#all)
      if (subscription.log === log || subscription.asked === log) return subscription;
    return undefined;
  }

  #create(log: string, options: SubscribeOptions): Subscription {
    const subscription = new Subscription(log, options, this.#connection, (ended) => this.#all.delete(ended));
    this.#all.add(subscription);
    return subscription;
  }

  #leave(subscription: Subscription, sink: LogSink): void {
    subscription.leave(sink);
    // Whoever leaves and comes back at once (React's Strict Mode does) finds the subscription still there.
    queueMicrotask(() => {
      if (subscription.sinks.size === 0) void this.#drop(subscription);
    });
  }

  async #drop(subscription: Subscription): Promise<void> {
    if (!this.#all.delete(subscription)) return;
    subscription.close();
    if (this.#connection.state.status !== "live") return;
    // Refused or lost: there is nothing left to leave.
    await this.#connection.request({ type: "unsubscribe", log: subscription.log }).catch(() => undefined);
  }
}

function widest(a: SubscribeOptions, b: SubscribeOptions): SubscribeOptions {
  return {
    showThoughts: (a.showThoughts ?? false) || (b.showThoughts ?? false),
    flushInterval: least(a.flushInterval, b.flushInterval),
    bufferSize: least(a.bufferSize, b.bufferSize),
    tail: a.tail === undefined || b.tail === undefined ? undefined : Math.max(a.tail, b.tail),
  };
}

/** The sooner of two; "not given" is at once. */
function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}
