/**
 * One viewer: their socket, their own line to the server, and a way into the object of each log they watch.
 *
 * Everything goes over the line as it is, under the viewer's own identity, but for the events of logs: the line asks
 * for a log `quiet`, which is where the server judges the right to it and later ends it, and the log's object sends
 * the events. One viewer of each log has them come over their line, and feeds the object.
 */

import type { Cache } from "./cache";
import { Tap } from "./tap";
import type { WorkerSocket } from "./workers";

type Fields = Record<string, unknown>;

/** What the object is told of a watch: fields that the server has judged before. */
const WATCH_FIELDS = ["epoch", "seq", "flush_ms", "buffer_size", "show_thoughts", "tail"] as const;
/** The events that these cause come after their `ok`. */
const CAUSES = new Set(["stream.start", "message.send", "draft.send"]);
const RESTART = 1012;
/** Tells the server that the viewer was cut off and may be back: any code that is no farewell. */
const CUT_OFF = 3001;

interface Watch {
  readonly tap: Tap;
  /** `asked`: frames of the log are dropped until the `ok` comes. */
  feeding: "no" | "asked" | "yes";
}

export class Viewer {
  private readonly watches = new Map<string, Watch>();
  /** Logs that the line is subscribed to, each with a mark of its own: what takes time looks whether it still stands. */
  private readonly rights = new Map<string, symbol>();
  /** What a log was asked for as, which may be a session's slug. */
  private readonly names = new Map<string, string>();
  /** What to do with the replies to commands of ours, by id. */
  private readonly ours = new Map<string, (reply: Fields) => void>();
  /** Commands of the viewer's whose reply is looked at as it passes. */
  private readonly theirs = new Map<unknown, Fields>();
  private readonly prefix = crypto.randomUUID();
  private count = 0;
  private causing = 0;
  /** Events that wait for the `ok` of what may have caused them. */
  private waiting: string[] = [];
  private over = false;

  constructor(
    private readonly socket: WorkerSocket,
    private readonly line: WorkerSocket,
    private readonly open: (log: string) => Promise<WorkerSocket>,
    private readonly cache: Cache,
  ) {}

  start(): void {
    listen(this.line, (text) => this.fromServer(text), (code) => this.end(code));
    listen(this.socket, (text) => this.fromViewer(text), (code) => this.left(code));
    this.line.accept();
    this.socket.accept();
  }

  // From the viewer ------------------------------------------------------------------------------------------------

  private fromViewer(text: string): void {
    const frame = objectOf(text);
    if (frame?.["type"] === "subscribe") this.subscribe(frame);
    else {
      if (frame && typeof frame["type"] === "string" && frame["id"] != null) this.note(frame["type"], frame);
      this.line.send(text);
    }
  }

  private note(type: string, frame: Fields): void {
    if (CAUSES.has(type)) this.causing += 1;
    if (CAUSES.has(type) || type === "unsubscribe") this.theirs.set(frame["id"], frame);
  }

  private subscribe(frame: Fields): void {
    const known = this.watches.get(this.names.get(String(frame["log"])) ?? "");
    // The line has the log already: the right to it stands as long as that.
    if (known && known.feeding !== "no") {
      known.tap.send({ type: "watch", id: frame["id"] ?? null, ...picked(frame) });
      return;
    }
    this.ask({ ...frame, quiet: true }, (reply) => {
      if (reply["type"] !== "ok") {
        this.tell({ ...reply, id: frame["id"] ?? null });
        return;
      }
      const log = String(reply["log"]);
      this.names.set(String(frame["log"]), log);
      this.rights.set(log, Symbol());
      void this.watch(log, { id: frame["id"] ?? null, ...picked(frame) });
    });
  }

  private async watch(log: string, fields: Fields): Promise<void> {
    const right = this.rights.get(log);
    const cached = this.watches.has(log) ? null : await this.cache.answer(log, fields);
    if (this.over || this.rights.get(log) !== right) return;
    if (cached) {
      for (const text of cached) this.socket.send(text);
      return;
    }
    this.tapOf(log).tap.send({ type: "watch", ...fields });
  }

  // From the server ------------------------------------------------------------------------------------------------

  private fromServer(text: string): void {
    const frame = objectOf(text);
    if (!frame) return;
    const { log, id } = frame;
    if (typeof log === "string" && id === undefined) {
      this.event(log, frame, text);
      return;
    }
    const own = typeof id === "string" ? this.ours.get(id) : undefined;
    if (own) {
      this.ours.delete(id as string);
      own(frame);
      return;
    }
    this.socket.send(text);
    const command = this.theirs.get(id);
    if (command) this.replied(command, frame);
  }

  private replied(command: Fields, reply: Fields): void {
    this.theirs.delete(command["id"]);
    const { log, epoch, seq } = reply;
    if (command["type"] === "unsubscribe") {
      if (typeof log === "string") this.leave(log);
      return;
    }
    // The line is subscribed, live: it has what the object needs.
    if (typeof log === "string" && typeof epoch === "string" && typeof seq === "number") {
      const watch = this.tapOf(log);
      watch.feeding = "yes";
      watch.tap.send({ type: "watch", ...picked(command), epoch, seq, offer: true });
    }
    this.causing -= 1;
    if (this.causing > 0) return;
    for (const text of this.waiting) this.socket.send(text);
    this.waiting = [];
  }

  private event(log: string, frame: Fields, text: string): void {
    if (frame["type"] === "unsubscribed") {
      this.leave(log);
      this.socket.send(text);
      return;
    }
    const watch = this.watches.get(log);
    if (watch?.feeding === "yes") watch.tap.pass(text);
  }

  // To and from objects --------------------------------------------------------------------------------------------

  private tapOf(log: string): Watch {
    const known = this.watches.get(log);
    if (known) return known;
    const tap = new Tap(this.open(log), {
      frame: (text) => this.fromObject(text),
      order: (order) => this.obey(log, order),
      // Nothing is lost: the viewer comes back with its position.
      lost: () => {
        if (this.watches.get(log)?.tap === tap) this.end(RESTART);
      },
    });
    const watch: Watch = { tap, feeding: "no" };
    this.watches.set(log, watch);
    return watch;
  }

  private fromObject(text: string): void {
    if (this.causing > 0) this.waiting.push(text);
    else this.socket.send(text);
  }

  /** The object wants to be fed from here, or no longer, or says how the log ended. */
  private obey(log: string, order: Fields): void {
    const watch = this.watches.get(log);
    if (!watch) return;
    if (order["type"] === "keep") {
      void this.cache.keep(log, order);
      return;
    }
    const feed = order["type"] === "feed";
    watch.feeding = feed ? "asked" : "no";
    const { epoch, seq } = order;
    const wanted = feed ? { epoch, seq, show_thoughts: true, tail: 200 } : { quiet: true };
    this.ask({ type: "subscribe", log, ...wanted }, (reply) => {
      if (this.watches.get(log) !== watch) return;
      if (reply["type"] !== "ok") {
        // The right ended in the meantime, or the server has no room: the viewer asks again and is told.
        this.end(RESTART);
      } else if (feed) {
        watch.feeding = "yes";
        watch.tap.send({ type: "fed", mode: reply["mode"], epoch: reply["epoch"], seq: reply["seq"] });
      }
    });
  }

  private leave(log: string): void {
    const watch = this.watches.get(log);
    this.watches.delete(log);
    this.rights.delete(log);
    watch?.tap.close();
  }

  private ask(command: Fields, onReply: (reply: Fields) => void): void {
    const id = `${this.prefix}-${++this.count}`;
    this.ours.set(id, onReply);
    this.line.send(JSON.stringify({ ...command, id }));
  }

  private tell(frame: Fields): void {
    this.socket.send(JSON.stringify(frame));
  }

  // The end --------------------------------------------------------------------------------------------------------

  /** The server closed the line, or it was cut: the viewer is told the same, and shown nothing more. */
  private end(code: number): void {
    if (!this.finish()) return;
    close(this.socket, isSendable(code) ? code : RESTART);
    close(this.line, CUT_OFF);
  }

  /** The viewer went: properly, or cut off and maybe back soon. */
  private left(code: number): void {
    if (!this.finish()) return;
    close(this.line, code === 1000 || code === 1001 || code === 1005 ? 1000 : CUT_OFF);
    close(this.socket, 1000);
  }

  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    for (const log of [...this.watches.keys(), ...this.rights.keys()]) this.leave(log);
    return true;
  }
}

function picked(frame: Fields): Fields {
  return Object.fromEntries(WATCH_FIELDS.map((name) => [name, frame[name]]));
}

function objectOf(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

function listen(socket: WorkerSocket, onText: (text: string) => void, onEnd: (code: number) => void): void {
  socket.addEventListener("message", ({ data }) => {
    // Binary frames are none of the protocol's; the server refuses an empty text in their place.
    onText(typeof data === "string" ? data : "");
  });
  socket.addEventListener("close", ({ code }) => onEnd(code));
  socket.addEventListener("error", () => onEnd(1006));
}

function isSendable(code: number): boolean {
  return code === 1000 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

function close(socket: WorkerSocket, code: number): void {
  try {
    socket.close(code);
  } catch {
    // Closed already.
  }
}
