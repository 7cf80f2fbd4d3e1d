/**
 * The tabs of one browser that share a socket: who leads, and what they tell one another. The leader holds a Web Lock;
 * when it goes, the browser gives the lock to the next, and everybody comes back through that one, as after a cut.
 */

import type { SocketLike } from "../environment";
import { Exchange } from "./exchange";

/** What tabs say over the channel. `up` and `down` carry frames of the wire. */
type Said =
  | { say: "led" }
  | { say: "open" | "gone"; peer: string }
  | { say: "heard" | "opened"; peer: string }
  | { say: "up" | "down"; peer: string; data: string }
  | { say: "closed"; peer: string; code: number };

export interface PeerSocket {
  opened(): void;
  received(data: string): void;
  closed(code: number): void;
}

/** A leader that does not answer for so long is frozen, and loses the lead. */
const ANSWER_MS = 5_000;
/** As the server says before a restart: come back. */
const MOVED = 1012;

/** The one socket to the server, in the tab that leads. */
interface Home {
  socket: SocketLike;
  exchange: Exchange;
  isOpen: boolean;
}

export class Tabs {
  readonly #channel: BroadcastChannel;
  readonly #lock: string;
  readonly #peers = new Map<string, PeerSocket>();
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();
  #home: Home | null = null;
  readonly #homes = new Map<string, Home>();
  /** Let go of the locks that say that this tab, and its sockets, live. */
  readonly #ends = new Map<string, () => void>();
  #leads = false;
  #ended = false;
  readonly #url: string;
  readonly #Socket: new (url: string) => SocketLike;
  readonly #locks: LockManager;

  constructor(url: string, Socket: new (url: string) => SocketLike, locks: LockManager) {
    this.#url = url;
    this.#Socket = Socket;
    this.#locks = locks;
    this.#lock = `hanzo-live ${url}`;
    this.#channel = new BroadcastChannel(this.#lock);
    this.#channel.onmessage = ({ data }: MessageEvent<Said>) => this.#hear(data);
    this.#runFor({});
  }

  /** A socket of this tab wants to be opened. */
  open(id: string, peer: PeerSocket): void {
    this.#peers.set(id, peer);
    // Held as long as this tab lives: so the leader, who asks for it too, learns of its end, however it ends. It is ours
    // before anybody hears of us: nothing orders what a tab says and which locks it asks for.
    void this.#locks.request(`hanzo-live tab ${id}`, () => {
      if (!this.#peers.has(id)) return;
      const ended = new Promise<void>((done) => this.#ends.set(id, done));
      this.#ask(id);
      return ended;
    });
  }

  send(id: string, data: string): void {
    this.#tell({ say: "up", peer: id, data });
  }

  close(id: string): void {
    if (!this.#peers.delete(id)) return;
    this.#settled(id);
    this.#ends.get(id)?.();
    this.#ends.delete(id);
    this.#tell({ say: "gone", peer: id });
  }

  /** Shares no more, as when the tab is closed. */
  end(): void {
    for (const id of [...this.#peers.keys()]) this.close(id);
    for (const { socket } of new Set(this.#homes.values())) socket.close();
    this.#ended = true;
    this.#channel.close();
    for (const end of this.#ends.values()) end();
  }

  #runFor(options: LockOptions): void {
    this.#locks
      .request(this.#lock, options, () => {
        this.#leads = true;
        // Whoever had the old leader comes back; whoever waits for one asks now.
        this.#tell({ say: "led" });
        return new Promise<void>((done) => this.#ends.set(this.#lock, done));
      })
      // Somebody took the lead from us: we stood still.
      .catch(() => this.#depose());
  }

  #depose(): void {
    this.#leads = false;
    for (const { socket } of new Set(this.#homes.values())) socket.close();
    this.#homes.clear();
    this.#home = null;
    this.#runFor({});
  }

  #ask(id: string): void {
    this.#settled(id);
    const timer = setTimeout(() => this.#runFor({ steal: true }), ANSWER_MS);
    this.#waiting.set(id, timer);
    this.#tell({ say: "open", peer: id });
  }

  #settled(id: string): void {
    clearTimeout(this.#waiting.get(id));
    this.#waiting.delete(id);
  }

  #tell(said: Said): void {
    if (this.#ended) return;
    this.#channel.postMessage(said);
    this.#hear(said);
  }

  #hear(said: Said): void {
    if (said.say === "led") {
      for (const [id, peer] of [...this.#peers]) {
        if (this.#waiting.has(id)) this.#ask(id);
        // Who has no lock yet has asked nobody, and will ask the new one.
        else if (this.#ends.has(id)) this.#lose(id, peer, MOVED);
      }
      return;
    }
    const peer = this.#peers.get(said.peer);
    if (peer && said.say === "heard") this.#settled(said.peer);
    else if (peer && said.say === "opened") {
      this.#settled(said.peer);
      peer.opened();
    } else if (peer && said.say === "down") peer.received(said.data);
    else if (peer && said.say === "closed") this.#lose(said.peer, peer, said.code);
    else if (this.#leads) this.#lead(said);
  }

  #lose(id: string, peer: PeerSocket, code: number): void {
    this.close(id);
    peer.closed(code);
  }

  #lead(said: Said): void {
    if (said.say === "open") this.#welcome(said.peer);
    else if (said.say === "up") this.#homes.get(said.peer)?.exchange.fromPeer(said.peer, said.data);
    else if (said.say === "gone") this.#forget(said.peer);
  }

  #welcome(peer: string): void {
    if (this.#homes.has(peer)) return;
    if (!this.#home || this.#home.exchange.isRetired) this.#home = this.#connect();
    const home = this.#home;
    this.#homes.set(peer, home);
    home.exchange.join(peer);
    // A server that takes its time is no reason to take the lead from us.
    this.#tell({ say: home.isOpen ? "opened" : "heard", peer });
    // Granted when the tab has gone, with or without a goodbye.
    void this.#locks.request(`hanzo-live tab ${peer}`, () => this.#forget(peer));
  }

  #forget(peer: string): void {
    const home = this.#homes.get(peer);
    this.#homes.delete(peer);
    home?.exchange.leave(peer);
    if (!home || home.exchange.members.length > 0) return;
    if (this.#home?.socket === home.socket) this.#home = null;
    home.socket.close();
  }

  #connect(): Home {
    const socket = new this.#Socket(this.#url);
    const exchange = new Exchange({
      toServer: (data) => socket.send(data),
      toPeer: (peer, data) => this.#tell({ say: "down", peer, data }),
    });
    const home: Home = { socket, exchange, isOpen: false };
    socket.onopen = () => {
      home.isOpen = true;
      for (const peer of exchange.members) this.#tell({ say: "opened", peer });
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (typeof data === "string") exchange.fromServer(data);
    };
    socket.onerror = () => undefined;
    socket.onclose = ({ code }: { code: number }) => {
      if (this.#home === home) this.#home = null;
      for (const peer of exchange.members) {
        this.#homes.delete(peer);
        this.#tell({ say: "closed", peer, code });
      }
    };
    return home;
  }
}
