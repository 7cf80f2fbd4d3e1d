/**
 * Who is in a session and what they do, and the way to tell them what one does oneself. Framework-free: people and
 * cursors each have a `subscribe` and a `getSnapshot`, for cursors move many times a second and people do not.
 */

import {
  FrameScheduler,
  type LogEvent,
  type PresenceStatus,
  type SessionState,
  type SessionStore,
  type User,
} from "@hanzo/live-client";
import { watchActivity } from "./activity";
import { readCursor, wireCursor, type Cursor } from "./cursor";
import { Saying } from "./saying";

/** Typing is over after so long without a key. */
const PAUSE_MS = 3000;
/** The server takes typing for over after twice that. */
const REPEAT_MS = 3000;
/** A connection that is back within this was not away: people stay shown. */
const GRACE_MS = 5000;

export interface Person {
  readonly user: User;
  readonly isMe: boolean;
  readonly status: PresenceStatus;
  readonly isTyping: boolean;
  /** Waits for an answer of the model. */
  readonly isAsking: boolean;
}

export interface PresenceState {
  /** Oneself last; empty where there are too many to list. */
  readonly people: readonly Person[];
  /** How many are here; null where that is not known. */
  readonly total: number | null;
  /** There are too many to list, and cursors are not shown. */
  readonly isSummarised: boolean;
}

export interface PersonCursor extends Cursor {
  readonly user: User;
  readonly isIdle: boolean;
}

const NOBODY: PresenceState = { people: [], total: null, isSummarised: false };

export class PresenceStore {
  private state = NOBODY;
  private cursors: readonly PersonCursor[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly cursorListeners = new Set<() => void>();
  private readonly frames = new FrameScheduler(() => this.showCursors());
  private readonly saying: Saying;
  private closers: (() => void)[] = [];
  private users = 0;
  private mine: Cursor = { draft: null, pointer: null };
  private typingSaidAt = 0;
  private timers: Record<"pause" | "grace", ReturnType<typeof setTimeout> | undefined> = {
    pause: undefined,
    grace: undefined,
  };
  /** The connection has been gone for long: what one knew is not true any more. */
  private isLost = false;

  constructor(readonly session: SessionStore) {
    this.saying = new Saying(session);
  }

  /** Watches until the result is called as often as this was. The session's store has to be open. */
  open(): () => void {
    if (this.users++ === 0) this.begin();
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      if (--this.users === 0) this.end();
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): PresenceState => this.state;

  readonly subscribeCursors = (listener: () => void): (() => void) => {
    this.cursorListeners.add(listener);
    return () => this.cursorListeners.delete(listener);
  };

  /** The others' cursors. */
  readonly getCursors = (): readonly PersonCursor[] => this.cursors;

  // What one does -------------------------------------------------------------------------------------------------

  /** A key was pressed in the draft. */
  typed(): void {
    clearTimeout(this.timers.pause);
    this.timers.pause = setTimeout(() => this.stopTyping(), PAUSE_MS);
    if (Date.now() - this.typingSaidAt < REPEAT_MS) return;
    this.typingSaidAt = Date.now();
    this.saying.say({ typing: true });
  }

  stopTyping(): void {
    clearTimeout(this.timers.pause);
    if (this.typingSaidAt === 0) return;
    this.typingSaidAt = 0;
    this.saying.say({ typing: false });
  }

  /** Moves one's own caret or pointer, or hides it with null; the other one stays as it is. */
  move(cursor: Partial<Cursor>): void {
    const next = { ...this.mine, ...cursor };
    if (JSON.stringify(next) === JSON.stringify(this.mine)) return;
    this.mine = next;
    // Where so many are here, nobody would see it; it is said when they are fewer.
    if (!this.state.isSummarised) this.saying.say({ cursor: wireCursor(next) });
  }

  // Its life ------------------------------------------------------------------------------------------------------

  private begin(): void {
    const { client } = this.session;
    this.closers = [
      this.session.subscribe(() => this.update()),
      this.session.listen({
        opened: () => this.opened(),
        event: (event) => this.hear(event),
        ended: () => this.lose(),
      }),
      client.onConnection(({ status }) => {
        if (status === "live") return;
        this.saying.close();
        this.timers.grace ??= setTimeout(() => this.lose(), GRACE_MS);
      }),
    ];
    if (typeof document !== "undefined") {
      this.closers.push(
        watchActivity((isActive) => this.saying.say({ status: isActive ? "active" : "idle" })),
      );
    }
    this.update();
  }

  private end(): void {
    for (const close of this.closers) close();
    this.closers = [];
    this.saying.close();
    this.frames.cancel();
    clearTimeout(this.timers.pause);
    this.keepNoGrace();
  }

  private opened(): void {
    this.saying.open();
    this.keepNoGrace();
    this.isLost = false;
    this.update();
  }

  private lose(): void {
    this.saying.close();
    this.keepNoGrace();
    this.isLost = true;
    this.update();
    this.showCursors();
  }

  private keepNoGrace(): void {
    clearTimeout(this.timers.grace);
    this.timers.grace = undefined;
  }

  private hear(event: LogEvent): void {
    if (event.type === "presence") this.frames.schedule();
  }

  private update(): void {
    const { isSummarised } = this.state;
    const next = this.isLost ? NOBODY : stateOf(this.session.getSnapshot(), this.me);
    if (JSON.stringify(next) === JSON.stringify(this.state)) return;
    this.state = next;
    if (isSummarised && !next.isSummarised) this.saying.say({ cursor: wireCursor(this.mine) });
    for (const listener of [...this.listeners]) listener();
  }

  private showCursors(): void {
    const { present, summarised } = this.session.current;
    const people = summarised || this.isLost ? [] : Object.values(present);
    const known = new Map(this.cursors.map((each) => [each.user.id, each]));
    this.cursors = people
      .filter(({ user, cursor }) => user.id !== this.me && cursor != null)
      .map(({ user, cursor, status }) => {
        const next = { user, isIdle: status === "idle", ...readCursor(cursor) };
        const before = known.get(user.id);
        return before && JSON.stringify(before) === JSON.stringify(next) ? before : next;
      });
    for (const listener of [...this.cursorListeners]) listener();
  }

  private get me(): string | null {
    return this.session.client.user?.id ?? null;
  }
}

function stateOf(session: SessionState, me: string | null): PresenceState {
  const asking = new Set(
    session.messages
      .filter(({ status }) => status === "queued" || status === "streaming")
      .map(({ user }) => user?.id),
  );
  const people = Object.values(session.present).map(
    ({ user, status, typing }): Person => ({
      user,
      status,
      isMe: user.id === me,
      isTyping: typing,
      isAsking: asking.has(user.id),
    }),
  );
  return {
    people: [...people.filter(({ isMe }) => !isMe), ...people.filter(({ isMe }) => isMe)],
    total: session.presentTotal,
    isSummarised: session.summarised,
  };
}
