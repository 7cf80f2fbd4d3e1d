/**
 * The Durable Object of one log: takes its events from one viewer's line, and gives them to all who watch it.
 *
 * It holds no credential and knows nobody: who may watch is settled before anybody's socket gets here (`viewer.ts`), and
 * a socket is closed there the moment the right ends. Its sockets sleep with it; what it knows is in its storage.
 */

import type { LogEvent } from "@hanzo/live-client";
import { LogCopy, type Saved } from "./log-copy";
import { ORDER } from "./tap";
import { socketPair, upgraded, type KeptSocket, type ObjectContext } from "./workers";

/** As the server: a request for more time between frames than this gets this. */
const MOST_FLUSH_MS = 1_000;
/** Saved when the log has been quiet for so long: the object may sleep then. */
const SAVE_AFTER_MS = MOST_FLUSH_MS + 500;
/** Larger ones are not saved, but asked of the server again. SQLite-backed objects take 2 MB. */
const MOST_SAVED_CHARS = 1_000_000;
/** How long a log that nobody watches is kept. */
const KEEP_MS = 3_600_000;
const LOST = 1012;

/** What a viewer asked for; kept with their socket while the object sleeps. */
interface View {
  readonly flushMs: number;
  readonly bufferSize: number;
  readonly showThoughts: boolean;
  readonly tail: number;
}

interface Attachment {
  view: View | null;
  /** As `Watcher.have` when the log was last saved. */
  have: number | null;
  feeds: boolean;
}

interface Watcher {
  readonly socket: KeptSocket;
  view: View | null;
  /** The last event that it has; null where it waits for the feed, or for a snapshot. */
  have: number | null;
  /** Its `ok`, not yet said. */
  asked: { id: unknown; epoch: unknown; seq: unknown; silent: boolean } | null;
  dueAt: number;
}

export class HanzoLiveSession {
  private copy: LogCopy | null = null;
  private readonly watchers = new Map<KeptSocket, Watcher>();
  private feeder: KeptSocket | null = null;
  /** The feeder has been asked, and what it sends now is what was asked for. */
  private fed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: ObjectContext) {
    void context.blockConcurrencyWhile(() => this.wake());
  }

  /** A viewer's way in: an upgrade, with the log's name as path. */
  async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") !== "websocket") return new Response("WebSocket only.", { status: 426 });
    const log = decodeURIComponent(new URL(request.url).pathname.slice(1));
    this.copy ??= new LogCopy(log);
    const { theirs, ours } = socketPair();
    this.context.acceptWebSocket(ours);
    this.add(ours, null, null);
    await this.context.storage.deleteAlarm();
    return upgraded(theirs);
  }

  webSocketMessage(socket: KeptSocket, message: unknown): void {
    const watcher = this.watchers.get(socket);
    if (!watcher || !this.copy || typeof message !== "string") return;
    const frame = JSON.parse(message) as Record<string, unknown>;
    if (typeof frame["log"] === "string") {
      if (socket === this.feeder && this.fed) this.take(this.copy, frame as unknown as LogEvent);
    } else if (frame["type"] === "watch") {
      this.watch(this.copy, watcher, frame);
    } else if (frame["type"] === "fed" && socket === this.feeder) {
      this.fed = true;
      this.copy.resume(frame as never);
      this.serveAll(this.copy);
    }
  }

  async webSocketClose(socket: KeptSocket): Promise<void> {
    this.watchers.delete(socket);
    if (socket === this.feeder) {
      this.feeder = null;
      this.fed = false;
      this.copy?.suspend();
      this.elect();
    }
    try {
      socket.close(1000);
    } catch {
      // The runtime has answered the close already.
    }
    if (this.watchers.size > 0) return;
    await this.save();
    await this.context.storage.setAlarm(Date.now() + KEEP_MS);
  }

  webSocketError(socket: KeptSocket): Promise<void> {
    return this.webSocketClose(socket);
  }

  /** Nobody has come for a long time. */
  async alarm(): Promise<void> {
    if (this.watchers.size > 0) return;
    this.copy = null;
    await this.context.storage.deleteAll();
  }

  // The feed -------------------------------------------------------------------------------------------------------

  /** Somebody has to feed the log, if it can still change; the first who watches does. */
  private elect(): void {
    if (this.feeder || !this.copy) return;
    if (this.copy.isOver) {
      this.serveAll(this.copy);
      return;
    }
    const first = [...this.watchers.values()].find(({ view }) => view !== null);
    if (!first) return;
    const { asked } = first;
    // Where nothing is known, what one viewer lacks will do: the server says whether it can go on from there.
    if (this.copy.head < 0 && typeof asked?.epoch === "string" && typeof asked.seq === "number")
      this.copy.begin(asked.epoch, asked.seq);
    this.feedFrom(this.copy, first.socket, this.copy.position.have());
  }

  private feedFrom(copy: LogCopy, socket: KeptSocket, have: object): void {
    this.setFeeder(socket);
    this.fed = false;
    copy.suspend();
    order(socket, { type: "feed", ...have });
  }

  private setFeeder(socket: KeptSocket): void {
    const before = this.feeder && this.watchers.get(this.feeder);
    this.feeder = socket;
    for (const watcher of [before, this.watchers.get(socket)]) if (watcher) this.attach(watcher);
  }

  private take(copy: LogCopy, event: LogEvent): void {
    const verdict = copy.take(event);
    if (verdict === "gap") {
      if (this.feeder) this.feedFrom(copy, this.feeder, copy.position.have());
      return;
    }
    if (verdict === "drop") return;
    if (event.type === "snapshot" || "seq" in event) this.serveAll(copy);
    else this.tellAll(JSON.stringify(event));
    if ((event.type === "complete" || event.type === "error") && copy.isOver) this.ended(copy);
    this.saveSoon();
  }

  /** The feeder puts it where other objects and other days find it. */
  private ended(copy: LogCopy): void {
    const snapshot = copy.snapshot(true, 0);
    if (!this.feeder || !snapshot) return;
    const { epoch, seq, state } = JSON.parse(snapshot.text) as Record<string, unknown>;
    order(this.feeder, { type: "keep", epoch, seq, state });
  }

  // Those who watch ------------------------------------------------------------------------------------------------

  private watch(copy: LogCopy, watcher: Watcher, frame: Record<string, unknown>): void {
    const { id, epoch, seq, offer } = frame;
    watcher.view = viewOf(frame);
    watcher.asked = { id, epoch, seq, silent: offer !== undefined };
    watcher.have = null;
    this.attach(watcher);
    // `offer` is where the line's events begin, which is not after what the viewer has.
    if (typeof offer === "number" && copy.head < 0 && typeof epoch === "string") {
      copy.begin(epoch, offer);
      this.setFeeder(watcher.socket);
      this.fed = true;
    } else if (offer !== undefined && this.feeder !== watcher.socket) {
      // One line is enough: this one is to be quiet, or is asked for what is needed.
      if (this.feeder) order(watcher.socket, { type: "quiet" });
      else this.feedFrom(copy, watcher.socket, copy.position.have());
    }
    if (!this.feeder) this.elect();
    else this.serve(copy, watcher, new Map());
  }

  private serveAll(copy: LogCopy): void {
    const made = new Map<string, { text: string; seq: number }[] | null>();
    let next = Infinity;
    const now = Date.now();
    for (const watcher of this.watchers.values()) {
      if (watcher.view === null) continue;
      const wait = this.isEarly(copy, watcher, now);
      if (wait > 0) next = Math.min(next, wait);
      else this.serve(copy, watcher, made);
    }
    clearTimeout(this.timer);
    this.timer = next < Infinity ? setTimeout(() => this.serveAll(copy), next) : undefined;
  }

  /** How long this viewer's next frame has to wait, in ms. Only tokens and thoughts wait. */
  private isEarly(copy: LogCopy, { view, have, dueAt }: Watcher, now: number): number {
    if (!view || have === null || view.flushMs === 0 || now >= dueAt) return 0;
    const tokens = copy.tokensSince(have);
    if (tokens === null || (view.bufferSize > 0 && tokens >= view.bufferSize)) return 0;
    return dueAt - now;
  }

  /** Brings one viewer to where the log is; `made` has what was made for others who are in the same place. */
  private serve(copy: LogCopy, watcher: Watcher, made: Map<string, { text: string; seq: number }[] | null>): void {
    const { view, socket } = watcher;
    if (!view || !this.begin(copy, watcher)) return;
    const have = watcher.have;
    const key = `${String(have)} ${String(view.showThoughts)} ${have === null ? view.tail : ""}`;
    let frames = made.get(key);
    if (frames === undefined) {
      const since = have === null ? null : copy.since(have, view.showThoughts);
      const snapshot = since ? null : copy.snapshot(view.showThoughts, view.tail);
      frames = since ?? (snapshot && [snapshot]);
      made.set(key, frames);
    }
    if (!frames) {
      if (this.feeder && this.fed) this.feedFrom(copy, this.feeder, {});
      return;
    }
    for (const frame of frames) send(socket, frame.text);
    const last = frames.at(-1);
    if (!last) return;
    watcher.have = last.seq;
    watcher.dueAt = Date.now() + view.flushMs;
    const presence = have === null ? copy.presence() : null;
    if (presence) send(socket, presence);
  }

  /** Says the `ok` that is still to be said, once it is known where to begin. False: not yet. */
  private begin(copy: LogCopy, watcher: Watcher): boolean {
    const { asked, view, socket } = watcher;
    if (!copy.isCurrent) return false;
    if (!asked || !view) return true;
    const { id, epoch, seq } = asked;
    if (copy.epoch === null) return false;
    // The viewer has more than this object, which is about to have it too.
    if (epoch === copy.epoch && typeof seq === "number" && (copy.isDue(seq) || (asked.silent && seq > copy.head)))
      return false;
    const from = epoch === copy.epoch && typeof seq === "number" && copy.since(seq, view.showThoughts) ? seq : null;
    if (from === null && !copy.isWhole) {
      if (this.feeder && this.fed) this.feedFrom(copy, this.feeder, {});
      return false;
    }
    watcher.asked = null;
    watcher.have = from;
    const mode = from === null ? "snapshot" : from === copy.head ? "live" : "replay";
    if (!asked.silent) {
      send(socket, JSON.stringify({ type: "ok", id, log: copy.log, epoch: copy.epoch, seq: copy.head, mode }));
    }
    const presence = from === null ? null : copy.presence();
    if (presence) send(socket, presence);
    return true;
  }

  private tellAll(text: string): void {
    for (const { socket, asked, view } of this.watchers.values()) if (view && !asked) send(socket, text);
  }

  // Sleeping and waking --------------------------------------------------------------------------------------------

  /** What was known, and whose sockets are here: those slept as well, with all that there was. */
  private async wake(): Promise<void> {
    const sockets = this.context.getWebSockets();
    const saved = (await this.context.storage.get("log")) as (Saved & { log: string }) | undefined;
    if (saved) {
      this.copy = new LogCopy(saved.log);
      this.copy.restore(saved);
    }
    for (const socket of sockets) {
      const attached = socket.deserializeAttachment() as Attachment | null;
      if (!saved || !attached) {
        // What it has cannot be told: it comes back and says it.
        socket.close(LOST);
        continue;
      }
      this.add(socket, attached.view, attached.have);
      if (attached.feeds) {
        this.feeder = socket;
        this.fed = true;
        this.copy?.resume({ mode: "live", epoch: saved.epoch, seq: saved.seq });
      }
    }
  }

  private add(socket: KeptSocket, view: View | null, have: number | null): void {
    const watcher: Watcher = { socket, view, have, asked: null, dueAt: 0 };
    this.watchers.set(socket, watcher);
    this.attach(watcher);
  }

  private attach({ socket, view, have }: Watcher): void {
    const attachment: Attachment = { view, have, feeds: socket === this.feeder };
    socket.serializeAttachment(attachment);
  }

  private saveSoon(): void {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }

  private async save(): Promise<void> {
    clearTimeout(this.saving);
    const saved = this.copy?.save();
    if (!this.copy || !saved) return;
    const { log } = this.copy;
    const whole = { log, ...saved };
    // Where the server is to be asked again, the place in the log is enough.
    const small = { ...whole, state: null, kept: [], floor: saved.seq };
    for (const watcher of this.watchers.values()) this.attach(watcher);
    const fits = JSON.stringify(whole).length <= MOST_SAVED_CHARS;
    try {
      await this.context.storage.put("log", fits ? whole : small);
    } catch (reason) {
      console.warn("The log could not be saved whole; objects kept in SQLite take more (new_sqlite_classes):", reason);
      await this.context.storage.put("log", small);
    }
  }
}

function viewOf(frame: Record<string, unknown>): View {
  const number = (name: string, otherwise: number) => {
    const value = frame[name];
    return typeof value === "number" && value >= 0 ? value : otherwise;
  };
  return {
    flushMs: Math.min(number("flush_ms", 0), MOST_FLUSH_MS),
    bufferSize: number("buffer_size", 0),
    showThoughts: frame["show_thoughts"] === true,
    tail: Math.min(number("tail", 50), 200),
  };
}

function order(socket: KeptSocket, what: object): void {
  send(socket, ORDER + JSON.stringify(what));
}

/** A socket that is closing takes nothing more; its end follows. */
function send(socket: KeptSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // See above.
  }
}
