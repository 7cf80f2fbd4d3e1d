/** An environment without I/O, for tests of the connection. */

import type { Environment, Sign, SocketLike } from "../../src/environment";
import { fixture } from "./fixtures";

/** Time that moves when it is told to, and sockets that do nothing by themselves. */
export class FakeWorld implements Environment {
  readonly sockets: FakeSocket[] = [];
  private time = 0;
  timers: { at: number; callback: () => void }[] = [];
  listeners = new Set<(sign: Sign) => void>();

  openSocket(): SocketLike {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  now = () => this.time;
  random = () => 0.5;
  setTimer(callback: () => void, ms: number) {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return timer as unknown as ReturnType<typeof setTimeout>;
  }
  clearTimer(timer: ReturnType<typeof setTimeout>) {
    this.timers = this.timers.filter((each) => each !== (timer as unknown));
  }
  onSign(callback: (sign: Sign) => void) {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }
  sign(sign: Sign) {
    for (const callback of this.listeners) callback(sign);
  }
  async advance(ms: number) {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((each) => each !== due);
      this.time = due.at;
      due.callback();
      await settled();
    }
    this.time = end;
  }
}

export class FakeSocket implements SocketLike {
  readonly sent: { type: string; id: number; log?: string }[] = [];
  closed = false;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;

  send(data: string) {
    this.sent.push(JSON.parse(data) as { type: string; id: number; log?: string });
  }
  close() {
    this.closed = true;
  }
  receive(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) } as never);
  }
  welcome() {
    this.onopen?.({} as never);
    this.receive({ ...fixture<object>("reply.welcome"), id: this.sent.at(-1)?.id });
  }
}

/** What was promised has happened. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
