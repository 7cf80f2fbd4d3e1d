/**
 * A small real WebSocket server that speaks the protocol's order rules over `TestLog`s: for tests of the client.
 * It starts no model: tests append what a model would write.
 */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { LogState, Welcome } from "../../src";
import { fixture } from "./fixtures";
import { TestLog, type Entry, type Logged } from "./log";

type Frame = Record<string, unknown> & { id?: number; type: string };
type Handler = (frame: Frame, peer: Peer) => void;

export interface Peer {
  socket: WebSocket;
  logs: Set<string>;
  send(frame: object): void;
}

export class TestServer {
  readonly peers = new Set<Peer>();
  readonly received: Frame[] = [];
  readonly logs = new Map<string, TestLog>();
  /** Published frames for which this says true are lost. */
  lose: (event: Logged) => boolean = () => false;
  /** Overrides what the server does with a command. */
  readonly handlers = new Map<string, Handler>();
  welcome: Welcome = fixture<Welcome>("reply.welcome");
  accepted = 0;
  private waiters: (() => void)[] = [];
  private posted = new Map<string, { message: string; stream: string }>();
  private nextId = 0;

  private constructor(private readonly wss: WebSocketServer) {
    wss.on("connection", (socket) => this.accept(socket));
  }

  static async start(port = 0): Promise<TestServer> {
    const wss = new WebSocketServer({ port, host: "127.0.0.1", path: "/v1/live" });
    await once(wss, "listening");
    return new TestServer(wss);
  }

  get port(): number {
    return (this.wss.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  log(name: string, base?: LogState): TestLog {
    let log = this.logs.get(name);
    if (!log) this.logs.set(name, (log = new TestLog(name, base)));
    return log;
  }

  /** Appends to the log and publishes it to whoever watches. */
  publish(name: string, ...entries: Entry[]): void {
    for (const entry of entries) this.deliver(this.log(name).append(entry));
  }

  /** Sends a frame to whoever watches its log, unless it is lost. */
  deliver(event: Logged): void {
    if (this.lose(event)) return;
    for (const peer of this.peers) if (peer.logs.has(event.log)) peer.send(event);
  }

  /** Breaks every connection without a goodbye. */
  cut(): void {
    for (const { socket } of this.peers) socket.terminate();
  }

  close(code: number, said?: object): void {
    for (const peer of this.peers) {
      if (said) peer.send(said);
      peer.socket.close(code);
    }
  }

  count(type: string): number {
    return this.received.filter((frame) => frame.type === type).length;
  }

  /** Resolves when `condition` holds; it is looked at whenever something arrives or leaves. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.wss.close(resolve));
  }

  private accept(socket: WebSocket): void {
    this.accepted += 1;
    const peer: Peer = { socket, logs: new Set(), send: (frame) => socket.send(JSON.stringify(frame)) };
    this.peers.add(peer);
    socket.on("close", () => {
      this.peers.delete(peer);
      this.wake();
    });
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      this.received.push(frame);
      (this.handlers.get(frame.type) ?? this.answer)(frame, peer);
      this.wake();
    });
    this.wake();
  }

  /** What the real server does. */
  readonly answer: Handler = (frame, peer) => {
    const { id, type } = frame;
    if (type === "hello") peer.send({ ...this.welcome, id });
    else if (type === "ping") peer.send({ type: "pong", id });
    else if (type === "subscribe") this.onSubscribe(frame, peer);
    else if (type === "unsubscribe") {
      peer.logs.delete(frame["log"] as string);
      peer.send({ type: "ok", id, log: frame["log"] });
    } else if (type === "stream.start") this.onStart(frame, peer);
    else if (type === "message.send") this.onSend(frame, peer);
    else peer.send({ type: "ok", id });
  };

  private onSubscribe(frame: Frame, peer: Peer): void {
    const { id, seq, epoch } = frame as Frame & { seq?: number; epoch?: string };
    const log = this.log(frame["log"] as string);
    peer.logs.add(log.name);
    const mode = seq !== undefined && epoch === log.epoch && seq <= log.head ? "replay" : "snapshot";
    peer.send({ type: "ok", id, log: log.name, epoch: log.epoch, seq: log.head, mode });
    if (mode === "snapshot") peer.send(log.snapshot(frame["tail"] as number | undefined));
    else for (const event of log.merged(seq ?? 0)) peer.send(event);
  }

  private onStart(frame: Frame, peer: Peer): void {
    const key = frame["key"] as string;
    const known = this.posted.get(key);
    const stream = known?.stream ?? `s${++this.nextId}`;
    const log = this.log(`stream:${stream}`);
    this.posted.set(key, { message: "", stream });
    peer.logs.add(log.name);
    peer.send({ type: "ok", id: frame.id, stream, log: log.name, message: null, epoch: log.epoch, seq: 0 });
    for (const event of log.merged(0)) peer.send(event);
  }

  private onSend(frame: Frame, peer: Peer): void {
    const key = frame["key"] as string;
    const session = frame["session"] as string;
    let known = this.posted.get(key);
    if (!known) {
      const n = ++this.nextId;
      known = { message: `m${n}`, stream: `s${n}` };
      this.posted.set(key, known);
      const message = {
        ...fixture<{ message: object }>("event.message").message,
        id: known.message,
        n: this.log(`session:${session}`).state().messages.length + 1,
        content: frame["content"],
        key,
      };
      this.publish(`session:${session}`, { type: "message", message } as Entry);
    }
    peer.send({ type: "ok", id: frame.id, ...known });
  }

  private wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }
}

export const start = (stream: string): Entry => ({
  type: "stream_start",
  stream,
  message: null,
  model: "script-fast",
  requested_model: null,
  user: null,
  node: "local",
  cached: null,
});

export const token = (stream: string, data: string): Entry => ({ type: "token", stream, data, n: 1 });

export const complete = (stream: string, finish_reason: "stop" | "stopped" = "stop"): Entry => ({
  type: "complete",
  stream,
  finish_reason,
  stopped_by: null,
  usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4, estimated: false },
  duration_ms: 100,
  first_token_ms: 10,
  tokens_per_second: 30,
  cached: null,
  similarity: null,
  message: null,
});
