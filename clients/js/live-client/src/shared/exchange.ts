/**
 * One real socket for several tabs: which command is whose, and which events are for whom. Pure; does no I/O.
 *
 * The server sees one client. A log that several tabs watch is subscribed for all of them together: whoever joins gets a
 * snapshot, and so do the others, who lose nothing by it.
 */

type Frame = Record<string, unknown> & { type?: unknown; id?: unknown; log?: unknown };

interface Peer {
  /** The logs it watches by the names that the server gives them. */
  readonly logs: Map<string, Frame>;
}

interface Asked {
  readonly peer: string;
  readonly id: unknown;
  readonly frame: Frame;
}

export interface ExchangeOutput {
  toServer(data: string): void;
  toPeer(peer: string, data: string): void;
}

export class Exchange {
  readonly #peers = new Map<string, Peer>();
  readonly #asked = new Map<number, Asked>();
  /** Names that were asked for, and what the server calls them. */
  readonly #names = new Map<string, string>();
  #lastId = 0;
  /** The server said that it goes: whoever comes now needs another socket. */
  isRetired = false;

  readonly #output: ExchangeOutput;

  constructor(output: ExchangeOutput) {
    this.#output = output;
  }

  get members(): string[] {
    return [...this.#peers.keys()];
  }

  join(peer: string): void {
    if (!this.#peers.has(peer)) this.#peers.set(peer, { logs: new Map() });
  }

  /** The tab is gone: what nobody else watches is left. */
  leave(peer: string): void {
    const logs = this.#peers.get(peer)?.logs.keys() ?? [];
    this.#peers.delete(peer);
    for (const log of logs) if (!this.#isWatched(log)) this.#send({ type: "unsubscribe", log }, null);
  }

  /** A command of a tab. */
  fromPeer(peer: string, data: string): void {
    if (!this.#peers.has(peer)) return;
    const frame = JSON.parse(data) as Frame;
    const asked = { peer, id: frame.id, frame };
    if (frame.type === "subscribe") this.#send(this.#forAll(peer, frame), asked);
    else if (frame.type === "unsubscribe") this.#unsubscribe(asked);
    else this.#send(frame, asked);
  }

  /** A frame of the server. */
  fromServer(data: string): void {
    const frame = JSON.parse(data) as Frame;
    const asked = typeof frame.id === "number" ? this.#asked.get(frame.id) : undefined;
    if (asked) {
      this.#asked.delete(frame.id as number);
      this.#reply(asked, frame);
    } else if (typeof frame.log === "string") {
      this.#event(frame.log, frame, data);
    } else if (frame.id === null || frame.id === undefined) {
      if (frame.type === "goaway") this.isRetired = true;
      for (const peer of this.#peers.keys()) this.#output.toPeer(peer, data);
    }
  }

  #reply({ peer, id, frame: command }: Asked, frame: Frame): void {
    const { log } = frame;
    if (frame.type === "ok" && typeof log === "string") {
      if (command.type === "subscribe") this.#names.set(String(command.log), log);
      if (command.type === "subscribe" || command.type === "stream.start") this.#peers.get(peer)?.logs.set(log, command);
    }
    this.#output.toPeer(peer, JSON.stringify({ ...frame, id }));
  }

  #event(log: string, frame: Frame, data: string): void {
    for (const [name, { logs }] of this.#peers) {
      if (!logs.has(log)) continue;
      if (frame.type === "unsubscribed") logs.delete(log);
      this.#output.toPeer(name, data);
    }
  }

  /** As `frame` asks it, and no less than the other tabs asked: a snapshot, where there are any. */
  #forAll(peer: string, frame: Frame): Frame {
    const log = this.#nameOf(frame.log);
    const all = [frame];
    for (const [name, { logs }] of this.#peers) {
      const wanted = name === peer ? undefined : logs.get(log);
      if (wanted) all.push(wanted);
    }
    if (all.length === 1) return frame;
    const tails = all.map((each) => each["tail"]).filter((tail): tail is number => typeof tail === "number");
    return {
      ...frame,
      // JSON leaves out what is undefined.
      epoch: undefined,
      seq: undefined,
      flush_ms: undefined,
      buffer_size: undefined,
      show_thoughts: all.some((each) => each["show_thoughts"] === true),
      tail: tails.length > 0 ? Math.max(...tails) : undefined,
    };
  }

  #unsubscribe(asked: Asked): void {
    const log = this.#nameOf(asked.frame.log);
    this.#peers.get(asked.peer)?.logs.delete(log);
    if (this.#isWatched(log)) this.#output.toPeer(asked.peer, JSON.stringify({ type: "ok", id: asked.id, log }));
    else this.#send(asked.frame, asked);
  }

  #send(frame: Frame, asked: Asked | null): void {
    const id = ++this.#lastId;
    if (asked) this.#asked.set(id, asked);
    this.#output.toServer(JSON.stringify({ ...frame, id }));
  }

  #nameOf(log: unknown): string {
    return this.#names.get(String(log)) ?? String(log);
  }

  #isWatched(log: string): boolean {
    return [...this.#peers.values()].some(({ logs }) => logs.has(log));
  }
}
