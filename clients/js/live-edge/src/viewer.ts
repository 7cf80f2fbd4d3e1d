/**
 * One viewer: their socket, their own line to the server, and a way into the object of each log they watch.
 *
 * Everything goes over the line as it is, under the viewer's own identity, but for the events of logs: the line asks
 * for a log `quiet`, which is where the server judges the right to it and later ends it, and the log's object sends
 * the events. One viewer of each log has them come over their line, and feeds the object.
 */

import { LogPosition, type LogEvent } from "@hanzo/live-client";
import type { Cache } from "./cache";
import { Tap } from "./tap";
import type { WorkerSocket } from "./workers";

type Fields = Record<string, unknown>;

/** What the object is told of a watch: fields that the server has judged before. */
const WATCH_FIELDS = ["epoch", "seq", "flush_ms", "buffer_size", "show_thoughts", "tail"] as const;
/** Larger than the server takes, by its default: not looked into, for the server refuses it. */
const MOST_CHARS = 1_048_576;
const RESTART = 1012;
/** Tells the server that the viewer was cut off and may be back: any code that is no farewell. */
const CUT_OFF = 3001;

interface Watch {
  readonly tap: Tap;
  /** `asked`: frames of the log are dropped until the `ok` comes. */
  feeding: "no" | "asked" | "yes";
  /** While the object of a stream that the viewer started is on its way, they have the first events from their own line. */
  ahead: Ahead | null;
}

interface Ahead {
  /** What the object will be told: `seq` is the last event that the viewer has. */
  readonly offer: Fields & { seq: number };
  /** Where the line is. */
  readonly position: LogPosition;
}

export class Viewer {
  private readonly watches = new Map<string, Watch>();
  /** Logs that the line is subscribed to, each with a mark of its own: what takes time looks whether it still stands. */
  private readonly rights = new Map<string, symbol>();
  /** What a log was asked for as, which may be a session's slug. */
  private readonly names = new Map<string, string>();
  /** What to do with replies, by the id under which the command was sent: the viewer's own ids may be any. */
  private readonly ours = new Map<string, (reply: Fields) => void>();
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
    const frame = text.length <= MOST_CHARS ? objectOf(text) : null;
    const type = frame?.["type"];
    if (!frame) this.line.send(text);
    else if (type === "subscribe") this.subscribe(frame);
    else if (type === "unsubscribe") this.unsubscribe(frame);
    else if (type === "stream.start") this.begin(frame);
    else if (type === "message.send" || type === "draft.send") this.cause(frame, frame);
    else this.line.send(text);
  }

  private subscribe(frame: Fields): void {
    const fields = { id: frame["id"] ?? null, ...picked(frame) };
    const known = this.watches.get(this.names.get(String(frame["log"])) ?? "");
    // The line has the log already: the right to it stands as long as that.
    if (known && known.feeding !== "no") {
      known.tap.send({ type: "watch", ...fields });
      return;
    }
    this.ask({ ...frame, quiet: true }, (reply) => {
      if (reply["type"] !== "ok") {
        this.tell({ ...reply, id: fields.id });
        return;
      }
      const log = String(reply["log"]);
      this.names.set(String(frame["log"]), log);
      this.rights.set(log, Symbol());
      void this.watch(log, fields);
    });
  }

  /** At once, so that a `subscribe` right after it is a new one. A slug that was never watched by is known by the reply. */
  private unsubscribe(frame: Fields): void {
    const asked = String(frame["log"]);
    const log = this.names.get(asked) ?? asked;
    const known = this.watches.has(log) || this.rights.has(log);
    if (known) this.leave(log);
    this.relay(frame, frame, (reply) => {
      if (!known) this.leave(String(reply["log"]));
    });
  }

  /** The line may come to feed others: all events, at once. What this viewer wants of them is the object's affair. */
  private begin(frame: Fields): void {
    this.cause(frame, { ...frame, show_thoughts: true, flush_ms: 0, buffer_size: null }, ({ log, epoch, seq }) => {
      // Without a position the log was watched before.
      if (typeof log !== "string" || typeof epoch !== "string" || typeof seq !== "number") return;
      const watch = this.tapOf(log);
      watch.feeding = "yes";
      const offer = { type: "watch", ...picked(frame), epoch, seq, offer: seq };
      watch.ahead = { offer, position: new LogPosition() };
      watch.ahead.position.resume({ mode: "live", epoch, seq });
      watch.tap.send(offer);
    });
  }

  /** What this causes is shown after its reply. */
  private cause(frame: Fields, sent: Fields, onOk?: (reply: Fields) => void): void {
    this.causing += 1;
    this.relay(frame, sent, onOk, () => {
      this.causing -= 1;
      if (this.causing > 0) return;
      for (const text of this.waiting) this.socket.send(text);
      this.waiting = [];
    });
  }

  /** The viewer's own command, or what is `sent` for it; the reply has the viewer's id again. */
  private relay(frame: Fields, sent: Fields, onOk?: (reply: Fields) => void, onReply?: () => void): void {
    this.ask(sent, (reply) => {
      this.tell({ ...reply, id: frame["id"] ?? null });
      if (reply["type"] === "ok") onOk?.(reply);
      onReply?.();
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
  }

  private event(log: string, frame: Fields, text: string): void {
    if (frame["type"] === "unsubscribed") {
      this.leave(log);
      this.socket.send(text);
      return;
    }
    const watch = this.watches.get(log);
    if (watch?.feeding !== "yes") return;
    watch.tap.pass(text);
    if (watch.tap.isOpen) watch.ahead = null;
    if (watch.ahead) this.showAhead(watch, watch.ahead, frame as unknown as LogEvent);
  }

  private showAhead(watch: Watch, { offer, position }: Ahead, event: LogEvent): void {
    const verdict = position.take(event);
    // Mending a gap is the object's affair.
    if (verdict === "gap") watch.ahead = null;
    if (verdict !== "apply" || !("seq" in event)) return;
    if (event.type === "thought" && offer["show_thoughts"] !== true) return;
    this.show(JSON.stringify({ ...event, prev: offer.seq }));
    offer.seq = event.seq;
  }

  // To and from objects --------------------------------------------------------------------------------------------

  private tapOf(log: string): Watch {
    const known = this.watches.get(log);
    if (known) return known;
    const tap = new Tap(this.open(log), {
      frame: (text) => this.show(text),
      order: (order) => this.obey(log, order),
      // Nothing is lost: the viewer comes back with its position.
      lost: () => {
        if (this.watches.get(log)?.tap === tap) this.end(RESTART);
      },
    });
    const watch: Watch = { tap, feeding: "no", ahead: null };
    this.watches.set(log, watch);
    return watch;
  }

  private show(text: string): void {
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
