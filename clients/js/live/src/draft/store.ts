/**
 * A session's shared draft, as a page shows it: everybody's edits at once, through cuts of the connection, from one
 * generation to the next. Framework-free: `subscribe` and `getSnapshot` are what React's `useSyncExternalStore` takes.
 *
 * What one writes is never lost: it waits while there is no connection, and where its draft was posted meanwhile it goes
 * on into the next one, or is put aside for the person to decide.
 */

import {
  FrameScheduler,
  LiveError,
  type AnswerOptions,
  type DraftEvent,
  type DraftSyncOk,
  type LogEvent,
  type SessionStore,
} from "@hanzo/live-client";
import { fromBase64, toBase64 } from "lib0/buffer";
import { DraftCopy } from "./copy";
import { Keeping, type KeptEdits, type Store } from "./keeping";
import { leftoverOf, textOf, type Leftover } from "./leftover";
import { EMPTY_DRAFT, type DraftState } from "./state";
import { characters, cleaned, type TextChange } from "./text-change";
import { Waiting } from "./waiting";

/** What the server takes. */
export const MAX_CHARACTERS = 50_000;

const RETRY_MS = 1000;
const KEEP_MS = 250;
const EARLY_MS = 100;
const PATIENCE_MS = 2000;
/** Syncs in a row that the server asks for, without one edit taken. */
const FUTILE = 3;
const ACCESS: ReadonlySet<string> = new Set(["FORBIDDEN", "NOT_FOUND", "UNAUTHENTICATED"]);

const NOT_CONNECTED = new LiveError(
  "DISCONNECTED",
  "The connection was lost before the message was sent. The text is kept: send it again when the page is live.",
  { retryable: true },
);

export interface DraftStoreOptions {
  /** Id of the person who writes, where it is known before the connection tells. */
  user?: string | null;
  /** Where edits are kept that the server does not have: the browser's own by default; null for nowhere. */
  storage?: Store | null;
}

export class DraftStore {
  private state = EMPTY_DRAFT;
  private shown = this.state;
  private readonly listeners = new Set<() => void>();
  private readonly frames = new FrameScheduler(() => this.show());
  private readonly readers = new Set<() => void>();
  private readonly waiting = new Waiting();
  private closers: (() => void)[] = [];
  private users = 0;

  private copy = this.newCopy(null);
  /** What is being posted; what is written meanwhile is the next one's. */
  private posting: DraftCopy | null = null;
  private keeping: Keeping | null = null;
  private hasTakenOver = false;
  /** The latest sync; the answers to others count no more. */
  private turn = 0;
  private isSynced = false;
  private futile = 0;
  /** Until when the message of a draft that is over is waited for. */
  private patience: number | null = null;
  /** The connection went since some of what is unsent was written. */
  private wasAway = false;
  private timers: Record<"sync" | "keep", ReturnType<typeof setTimeout> | undefined> = {
    sync: undefined,
    keep: undefined,
  };

  constructor(
    readonly session: SessionStore,
    private readonly options: DraftStoreOptions = {},
  ) {}

  /** Keeps the draft up to date until the result is called as often as this was. The session's store has to be open. */
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

  readonly getSnapshot = (): DraftState => this.shown;

  /** Calls `reader` as soon as the text is another one: a field that one types into may not be behind it. */
  readonly readText = (reader: () => void): (() => void) => {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  };

  /** What is known by now; `getSnapshot` may be a frame behind it. */
  get current(): DraftState {
    return this.state;
  }

  /** Whether the signed-in person may write here, as far as the session's log tells. */
  get mayWrite(): boolean {
    const { members, session } = this.session.current;
    const role = members.find(({ user }) => user.id === this.session.client.user?.id)?.role;
    return session !== null && !session.archived && (role === "owner" || role === "editor");
  }

  // What the person does ------------------------------------------------------------------------------------------

  /** One's own edit, at once in the text here. False, with the reason in `error`, where it would be too long. */
  edit(change: TextChange): boolean {
    const inserted = cleaned(change.inserted);
    const removed = this.state.text.slice(change.at, change.at + change.removed);
    const length = characters(this.state.text) - characters(removed) + characters(inserted);
    if (inserted !== "" && length > MAX_CHARACTERS) {
      const [limit, wanted] = [MAX_CHARACTERS, length].map((count) => count.toLocaleString("en"));
      const message = `A draft may have ${limit} characters; with this it would have ${wanted}. Shorten it first.`;
      this.change({ error: new LiveError("TOO_LARGE", message) });
      return false;
    }
    this.change({ error: null, isCarried: false });
    this.copy.document.edit({ ...change, inserted });
    return true;
  }

  undo(): void {
    this.copy.document.undo();
  }

  redo(): void {
    this.copy.document.redo();
  }

  /** While `true`, others' edits wait: the field's text must not move under an input method. */
  setComposing(isComposing: boolean): void {
    if (isComposing) this.copy.document.hold();
    else this.copy.document.release();
  }

  /**
   * Posts the draft as one's message, once everything written here is in it. Whoever else sends it at the same time makes
   * the same message. Never rejects: why it failed is in `error`, and the text is there again.
   */
  async send(options: AnswerOptions = {}): Promise<void> {
    if (this.state.isSending) return;
    this.change({ isSending: true, error: null, isCarried: false });
    const sending = this.copy;
    try {
      const isReady = this.waiting.until(
        () => sending !== this.copy || !this.mayWrite || (this.isSynced && sending.outbox.isEmpty),
      );
      this.wake();
      await isReady;
      // Somebody else may have been quicker.
      const isOpen = sending === this.copy && this.mayWrite;
      if (isOpen && this.state.text.trim() !== "") await this.post(sending, options);
    } catch (reason) {
      this.change({ error: LiveError.from(reason) });
    } finally {
      this.change({ isSending: false });
    }
  }

  /** Puts what was put aside into the draft. */
  insertAside(): void {
    const { aside } = this.state;
    if (aside && this.append(aside.text)) this.discardAside();
  }

  discardAside(): void {
    this.change({ aside: null });
  }

  // Places --------------------------------------------------------------------------------------------------------

  /** A place in the text that stays with the character before it, as text for the wire. */
  placeAt(index: number): string {
    return toBase64(this.copy.document.placeAt(index));
  }

  /** Where such a place is now; null where it is in no draft that is shown here. */
  indexOf(place: string): number | null {
    try {
      return this.copy.document.indexOf(fromBase64(place));
    } catch {
      return null; // somebody else's page made it
    }
  }

  /** The generation that places belong to, for others to compare. */
  get generation(): number | null {
    return this.copy.generation;
  }

  // Its life ------------------------------------------------------------------------------------------------------

  private begin(): void {
    const { client } = this.session;
    this.closers = [
      this.session.listen({
        opened: () => void this.sync(),
        event: (event) => this.hear(event),
        ended: () => this.suspend(),
      }),
      client.onConnection(({ status }) => {
        if (status !== "live") this.suspend();
      }),
      client.on("leaving", () => {
        this.copy.outbox.hurry();
        this.keep();
      }),
    ];
  }

  private end(): void {
    for (const close of this.closers) close();
    this.closers = [];
    this.suspend();
    this.keep();
    this.frames.cancel();
    this.shown = this.state;
  }

  /** No answer will come, and no event. */
  private suspend(): void {
    this.turn += 1;
    this.isSynced = false;
    clearTimeout(this.timers.sync);
    this.copy.numbers.stop();
    if (!this.copy.outbox.isEmpty) this.wasAway = true;
    this.wake();
  }

  private hear(event: LogEvent): void {
    if (event.type === "draft") this.take(event);
    // One may be allowed to write from now on, or not any more.
    else if (event.type === "member" || event.type === "session" || event.type === "snapshot")
      this.copy.outbox.run();
  }

  private take({ generation, update, n }: DraftEvent): void {
    if (generation == null || this.copy.generation === null) return;
    const copy = [this.copy, this.posting].find((each) => each?.generation === generation);
    if (copy) {
      if (typeof update === "string") copy.document.apply(fromBase64(update));
      if (typeof n === "number") copy.numbers.heard(n);
    } else if (generation > this.copy.generation && this.posting === null) {
      void this.sync();
    }
  }

  // Syncing -------------------------------------------------------------------------------------------------------

  /** Brings the text here and the server's together. */
  private async sync(): Promise<void> {
    // While it is not known whether a draft was posted, it is not known either which one is to be synced.
    if (this.posting) return;
    const turn = ++this.turn;
    const { copy } = this;
    this.isSynced = false;
    clearTimeout(this.timers.sync);
    copy.numbers.asked();
    try {
      const question = toBase64(copy.document.question());
      const ok = await this.session.client.syncDraft(this.ref, copy.generation, question);
      if (turn !== this.turn) return;
      if (this.isEarly(ok)) this.syncAfter(EARLY_MS);
      else this.answered(ok);
    } catch (reason) {
      const error = LiveError.from(reason);
      // A lost connection subscribes again, and that asks again.
      if (turn !== this.turn || error.code === "DISCONNECTED") return;
      if (error.retryable) this.syncAfter(Math.max(RETRY_MS, (error.retryAfter ?? 0) * 1000));
      else this.fail(error);
    }
  }

  private syncAfter(ms: number): void {
    this.timers.sync = setTimeout(() => void this.sync(), ms);
  }

  /** One's edits may have been posted, and the message that tells has not come yet. It is on its way. */
  private isEarly({ generation }: DraftSyncOk): boolean {
    const { copy } = this;
    const isOver = copy.generation !== null && copy.generation < generation;
    if (!isOver || copy.outbox.maybeSent.length === 0 || this.postedText(copy.generation) !== null) return false;
    this.patience ??= Date.now() + PATIENCE_MS;
    return Date.now() < this.patience;
  }

  private answered({ generation, update, n }: DraftSyncOk): void {
    const before = this.copy;
    const isNext = before.generation !== null && before.generation !== generation;
    const isOurs = this.keeping?.isOurs() ?? true;
    const left = isNext && isOurs ? leftoverOf(before.written, this.postedText(before.generation)) : null;
    if (isNext) this.replaceCopy(this.newCopy(generation));
    this.patience = null;
    const { copy } = this;
    copy.generation = generation;
    const state = copy.document.takeAnswer(fromBase64(update ?? ""));
    copy.numbers.synced(n ?? 0);
    if (left) this.place(left);
    this.wasAway = false;
    this.restore();
    const lacking = this.mayWrite ? copy.document.lacking(state, copy.outbox.all) : null;
    if (lacking) copy.outbox.replace(lacking);
    this.isSynced = true;
    this.change({ isReady: true });
    copy.outbox.run();
  }

  /** The server did not take an edit. */
  private refused(copy: DraftCopy, error: LiveError): void {
    if (copy !== this.copy || error.code === "DISCONNECTED") return;
    if (error.code === "CONFLICT") {
      // Another draft is open, or edits are missing there: unless a sync is under way, it is time for one.
      if (this.isSynced && ++this.futile <= FUTILE) void this.sync();
      else if (this.isSynced) this.setAside(copy, error);
    } else if (ACCESS.has(error.code)) {
      this.fail(error); // kept: one may be allowed to write again
    } else {
      this.setAside(copy, error);
    }
  }

  /** Begins anew with what the server has; what it refused stays with the person. */
  private setAside(copy: DraftCopy, error: LiveError): void {
    const text = textOf(copy.written.all);
    this.replaceCopy(this.newCopy(copy.generation));
    this.putAside(text, error);
    void this.sync();
  }

  // From one generation to the next -------------------------------------------------------------------------------

  private async post(copy: DraftCopy, options: AnswerOptions): Promise<void> {
    const { client } = this.session;
    const generation = copy.generation ?? 0;
    this.posting = copy;
    this.isSynced = false;
    const content = this.state.text.trim();
    this.replaceCopy(this.newCopy(generation + 1));
    try {
      await this.session.deliver(postedAs(generation), content, () =>
        client.sendDraft(this.ref, generation, options),
      );
      copy.destroy();
    } catch (reason) {
      const written = this.state.text;
      this.replaceCopy(copy);
      this.append(written);
      throw reason;
    } finally {
      this.posting = null;
      void this.sync();
    }
  }

  /** What pages before this one could not hand over. */
  private restore(): void {
    const { copy } = this;
    if (this.hasTakenOver) return;
    this.hasTakenOver = true;
    this.wasAway = true;
    for (const { generation, updates, written } of this.leftBehind()) {
      // What was written before there was a draft goes into the first one there is, as it would have on its own page.
      const isOpen = generation === null || generation === copy.generation;
      if (isOpen && copy.document.canApply(updates)) {
        for (const update of updates) {
          copy.document.apply(update);
          copy.outbox.add(update);
        }
        continue;
      }
      this.place(leftoverOf(written, this.postedText(generation)));
    }
    this.wasAway = false;
    // At once: from now on it may be sent, and be posted with this generation.
    this.keep();
  }

  /** Those that pages before this one kept, by the session's id, or by the slug that this page was opened with. */
  private leftBehind(): KeptEdits[] {
    this.keeping?.keep(null);
    this.keeping = this.keepingBy(this.ref);
    return [this.keepingBy(this.session.session), this.keeping].flatMap((each) => each?.takeOver() ?? []);
  }

  /** Null until it is known who writes. */
  private keepingBy(session: string): Keeping | null {
    const user = this.options.user ?? this.session.client.user?.id;
    return user == null ? null : new Keeping(`${user}:${session}`, this.options.storage);
  }

  /** What was posted of a generation; null where this page does not have that message. */
  private postedText(generation: number | null): string | null {
    const key = postedAs(generation ?? 0);
    return this.session.current.messages.find((message) => message.key === key)?.content ?? null;
  }

  /** Goes on with it in the draft that is open, or, where it would get between others' text unseen, leaves it aside. */
  private place({ text, isSure }: Leftover): void {
    if (text.trim() === "") return;
    const isFree = this.state.text.trim() === "";
    if (!this.mayWrite || !isSure || (this.wasAway && !isFree)) this.putAside(text, null);
    else if (!this.append(text)) this.putAside(text, this.state.error);
    else if (this.wasAway) this.change({ isCarried: true });
  }

  /** At the end of the draft, on a line of its own. False where it does not fit. */
  private append(text: string): boolean {
    if (text === "") return true;
    const { length } = this.state.text;
    const needsLine = length > 0 && !this.state.text.endsWith("\n");
    return this.edit({ at: length, removed: 0, inserted: needsLine ? `\n${text}` : text });
  }

  private putAside(text: string, error: LiveError | null): void {
    if (text.trim() === "") {
      this.change({ error });
      return;
    }
    const before = this.state.aside ? `${this.state.aside.text}\n` : "";
    this.change({ aside: { text: before + text, error } });
  }

  private newCopy(generation: number | null): DraftCopy {
    const copy: DraftCopy = new DraftCopy(
      generation,
      {
        transmit: async (update) => {
          await this.session.client.updateDraft(this.ref, copy.generation ?? 0, toBase64(update));
          this.futile = 0;
        },
        isClear: () => copy === this.copy && this.isSynced && this.posting === null && this.mayWrite,
        refused: (error) => this.refused(copy, error),
        changed: () => this.outboxChanged(copy),
      },
      () => this.textChanged(copy),
      () => void this.sync(),
    );
    return copy;
  }

  private replaceCopy(copy: DraftCopy): void {
    if (this.copy !== this.posting) this.copy.destroy();
    this.copy = copy;
    const { text, canUndo, canRedo } = copy.document;
    this.change({ copy: this.state.copy + 1, text, canUndo, canRedo });
    this.outboxChanged(copy);
  }

  // Keeping and showing -------------------------------------------------------------------------------------------

  /** Id of the session, for its slug may change. */
  private get ref(): string {
    return this.session.current.session?.id ?? this.session.session;
  }

  private textChanged(copy: DraftCopy): void {
    if (copy !== this.copy) return;
    const { text, canUndo, canRedo } = copy.document;
    this.change({ text, canUndo, canRedo });
  }

  private outboxChanged(copy: DraftCopy): void {
    if (copy !== this.copy) return;
    const isPending = !copy.outbox.isEmpty;
    if (isPending !== this.state.isPending) this.change({ isPending });
    this.timers.keep ??= setTimeout(() => this.keep(), KEEP_MS);
    this.wake();
  }

  private keep(): void {
    clearTimeout(this.timers.keep);
    this.timers.keep = undefined;
    const { outbox, generation, written } = this.copy;
    this.keeping ??= this.keepingBy(this.ref);
    this.keeping?.keep(outbox.isEmpty ? null : { generation, updates: [...outbox.all], written });
  }

  private wake(): void {
    const isLost = this.session.client.connectionState.status !== "live";
    this.waiting.look(isLost ? NOT_CONNECTED : null);
  }

  private fail(error: LiveError): void {
    this.change({ error });
    this.waiting.fail(error);
  }

  private change(changes: Partial<DraftState>): void {
    const before = this.state;
    this.state = { ...before, ...changes };
    this.frames.schedule();
    if (before.text !== this.state.text || before.copy !== this.state.copy)
      for (const reader of [...this.readers]) reader();
  }

  private show(): void {
    this.shown = this.state;
    for (const listener of [...this.listeners]) listener();
  }
}

/** The key of the message that posts it. */
function postedAs(generation: number): string {
  return `draft:${generation}`;
}
