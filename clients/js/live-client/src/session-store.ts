/**
 * A session as a page shows it: the log's state, what is on its way, and how the connection is. Framework-free:
 * `subscribe` and `getSnapshot` are what React's `useSyncExternalStore` takes.
 */

import type { HanzoLiveClient } from "./client";
import type { ConnectionState } from "./connection-state";
import { LiveError } from "./errors";
import { FrameScheduler } from "./frame-scheduler";
import { newKey } from "./key";
import { EMPTY_LOG, foldLog, withMessages, type LogState } from "./log-state";
import type { AnswerOptions } from "./options";
import type { LogSink, SubscribeOptions } from "./subscription";
import type { LogEvent, Message, PresenceUser } from "./protocol.generated";

/** A message that was sent and is not in the log yet. */
export interface OutgoingMessage {
  readonly key: string;
  readonly content: string;
  readonly status: "sending" | "failed";
  readonly error: LiveError | null;
}

export interface SessionState extends LogState {
  readonly connection: ConnectionState;
  /** `loading` until the first snapshot; `ended` when access was refused or taken away (`endedBy`). */
  readonly status: "loading" | "ready" | "ended";
  readonly endedBy: LiveError | null;
  readonly outgoing: readonly OutgoingMessage[];
}

export class SessionStore {
  #state: SessionState;
  /** What readers see: changes at most once a frame. */
  #shown: SessionState;
  readonly #listeners = new Set<() => void>();
  readonly #frames = new FrameScheduler(() => this.#show());
  #closers: (() => void)[] = [];
  #users = 0;
  /** What else wants each event: what is not in the log has stores of its own. */
  readonly #sinks = new Set<LogSink>();
  #isOpen = false;
  readonly #options: SubscribeOptions;

  constructor(
    readonly client: HanzoLiveClient,
    /** Id or slug. */
    readonly session: string,
    options: SubscribeOptions = {},
  ) {
    this.#options = options;
    this.#state = {
      ...EMPTY_LOG,
      connection: client.connectionState,
      status: "loading",
      endedBy: null,
      outgoing: [],
    };
    this.#shown = this.#state;
  }

  /** Watches the session until the result is called as often as this was. */
  open(): () => void {
    if (this.#users++ === 0) this.#begin();
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      if (--this.#users === 0) this.#end();
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): SessionState => this.#shown;

  /** What is known by now; `getSnapshot` may be a frame behind it. */
  get current(): SessionState {
    return this.#state;
  }

  /** Gives `sink` each event of the log as it comes, for as long as the store is open. */
  listen(sink: LogSink): () => void {
    this.#sinks.add(sink);
    if (this.#isOpen) sink.opened?.();
    return () => this.#sinks.delete(sink);
  }

  /** Posts a message; it shows as outgoing until the log has it. Never rejects: failures show on the message. */
  async send(content: string, options: AnswerOptions & { reply?: boolean } = {}): Promise<void> {
    await this.#transmit({ key: options.key ?? newKey(), content, status: "sending", error: null }, options);
  }

  /** Sends a failed message again: with the same key, so that it cannot be there twice. */
  async resend(key: string): Promise<void> {
    const failed = this.#state.outgoing.find((message) => message.key === key);
    if (failed) await this.#transmit({ ...failed, status: "sending", error: null }, {});
  }

  /** Takes a failed message away. */
  discard(key: string): void {
    this.#change({ outgoing: this.#state.outgoing.filter((message) => message.key !== key) });
    this.#frames.flush();
  }

  /**
   * Shows `content` as on its way while `work` posts it with `key`, and until the log has it. Where `work` fails it is
   * taken away again, and the failure passed on.
   */
  async deliver<T>(key: string, content: string, work: () => Promise<T>): Promise<T> {
    this.#putOutgoing({ key, content, status: "sending", error: null });
    try {
      const result = await work();
      this.#change({ outgoing: this.#notIn(this.#state.messages) });
      return result;
    } catch (reason) {
      this.discard(key);
      throw reason;
    }
  }

  /** Stops a stream. Rejects with a LiveError. */
  stop(stream: string): Promise<void> {
    return this.client.stop(stream);
  }

  /** Puts older messages in, as REST gives them. */
  addOlder(messages: readonly Message[], hasMore: boolean): void {
    this.#state = { ...withMessages(this.#state, messages), hasMore };
    this.#frames.schedule();
  }

  #begin(): void {
    if (this.#state.status === "ended") this.#change({ status: "loading", endedBy: null });
    const leave = this.client.watch(
      `session:${this.session}`,
      {
        event: (event) => this.#take(event),
        opened: () => this.#opened(),
        ended: (error) => {
          this.#isOpen = false;
          this.#change({ status: "ended", endedBy: error });
          for (const sink of [...this.#sinks]) sink.ended(error);
        },
      },
      this.#options,
    );
    const off = this.client.onConnection((connection) => {
      if (connection.status !== "live") this.#isOpen = false;
      this.#change({ connection });
    });
    this.#closers = [leave, off];
    this.#change({ connection: this.client.connectionState });
  }

  #end(): void {
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#isOpen = false;
    this.#frames.cancel();
    this.#shown = this.#state;
  }

  #opened(): void {
    this.#isOpen = true;
    for (const sink of [...this.#sinks]) sink.opened?.();
  }

  #take(event: LogEvent): void {
    const before = this.#state;
    this.#fold(event);
    if (this.#state !== before && !(event.type === "presence" && onlyMoves(before, this.#state)))
      this.#frames.schedule();
    for (const sink of [...this.#sinks]) sink.event(event);
  }

  #fold(event: LogEvent): void {
    const next = foldLog(this.#state, event);
    if (event.type === "snapshot") {
      this.#state = { ...next, status: "ready", outgoing: this.#notIn(next.messages) };
    } else if (event.type === "message" && event.message.key !== null) {
      const { key } = event.message;
      this.#state = { ...next, outgoing: next.outgoing.filter((message) => message.key !== key) };
    } else {
      this.#state = next;
    }
  }

  #notIn(messages: readonly Message[]): readonly OutgoingMessage[] {
    return this.#state.outgoing.filter(({ key }) => !messages.some((message) => message.key === key));
  }

  async #transmit(
    message: OutgoingMessage,
    options: AnswerOptions & { reply?: boolean },
  ): Promise<void> {
    this.#putOutgoing(message);
    try {
      await this.client.sendMessage({
        ...options,
        session: this.session,
        content: message.content,
        key: message.key,
      });
      // It stays until the log brings it: taken away now, it would be gone for a moment.
      this.#change({ outgoing: this.#notIn(this.#state.messages) });
    } catch (reason) {
      const error = LiveError.from(reason);
      const outgoing = this.#notIn(this.#state.messages).map((each) =>
        each.key === message.key ? { ...each, status: "failed" as const, error } : each,
      );
      this.#change({ outgoing });
    }
  }

  #putOutgoing(message: OutgoingMessage): void {
    const others = this.#state.outgoing.filter(({ key }) => key !== message.key);
    this.#change({ outgoing: [...others, message] });
  }

  #change(changes: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#frames.schedule();
  }

  #show(): void {
    this.#shown = this.#state;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Cursors alone moved, many times a second: nothing of a session's page but the cursors themselves is drawn for that. */
function onlyMoves(before: LogState, after: LogState): boolean {
  const ids = Object.keys(after.present);
  return (
    before.presentTotal === after.presentTotal &&
    before.summarised === after.summarised &&
    ids.length === Object.keys(before.present).length &&
    ids.every((id) => isSame(before.present[id], after.present[id]))
  );
}

/** But for the cursor. */
function isSame(before: PresenceUser | undefined, after: PresenceUser | undefined): boolean {
  const shown = (each: PresenceUser | undefined) =>
    each && [each.status, each.typing, each.connections, each.user.name, each.user.avatar].join();
  return before === after || shown(before) === shown(after);
}
