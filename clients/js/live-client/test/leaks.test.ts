/** A client that is cut ten thousand times, and one that is taken down: nothing of them stays. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { HanzoLiveClient, SessionStore } from "../src";
import { fixture } from "./support/fixtures";
import { FakeWorld, settled, type FakeSocket } from "./support/world";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Of the client's own: its listeners, sinks, waiting commands and remembered logs. */
function held(client: HanzoLiveClient): number {
  const counted = new Set<unknown>();
  const count = (value: unknown): number => {
    if (typeof value !== "object" || value === null || counted.has(value) || value instanceof FakeWorld) return 0;
    counted.add(value);
    const inside = value instanceof Map || value instanceof Set ? [...value.values()] : Object.values(value);
    const own = value instanceof Map || value instanceof Set || Array.isArray(value) ? inside.length : 0;
    return inside.reduce<number>((sum, each) => sum + count(each), own);
  };
  return count(client);
}

class Server {
  constructor(private readonly world: FakeWorld) {}

  get socket(): FakeSocket {
    return this.world.sockets.at(-1) as FakeSocket;
  }

  /** Welcomes the newest socket and answers what it was asked. */
  async serve(): Promise<void> {
    await settled();
    this.socket.welcome();
    for (const { type, id, log } of this.socket.sent) {
      if (type === "subscribe") {
        this.socket.receive({ ...fixture("reply.ok.subscribe"), id, log, epoch: "e", seq: 1, mode: "snapshot" });
        this.socket.receive({ ...fixture("event.snapshot"), log, epoch: "e", seq: 1 });
      } else if (type === "stream.start") {
        this.socket.receive({ type: "ok", id, stream: "s", log: "stream:s", message: null, epoch: "e", seq: 0 });
      }
    }
  }

  /** Cuts the connection; the client comes back. */
  async cut(): Promise<void> {
    const gone = this.socket;
    this.world.sockets.length = 0;
    gone.onclose?.({ code: 1006 } as never);
    await this.world.advance(1_000);
    await this.serve();
  }
}

it("has no more after 10,000 reconnects than after the first hundred, and nothing once it is disconnected", async () => {
  const world = new FakeWorld();
  const client = new HanzoLiveClient({ reconnect: { maxAttempts: Infinity } }, world);
  const empty = held(client);
  const server = new Server(world);
  const store = new SessionStore(client, "p");
  const close = store.open();
  const stream = client.chat({ content: "Hi" });
  const text = stream.text();
  await server.serve();
  for (let n = 0; n < 100; n++) await server.cut();
  collect();
  const before = { held: held(client), timers: world.timers.length, heap: process.memoryUsage().heapUsed };
  for (let n = 0; n < 10_000; n++) await server.cut();
  collect();
  expect(client.connectionState.status).toBe("live");
  expect(held(client)).toBe(before.held);
  expect(world.timers.length).toBe(before.timers);
  expect(process.memoryUsage().heapUsed - before.heap).toBeLessThan(2_000_000);

  close();
  client.disconnect();
  await expect(text).rejects.toMatchObject({ code: "STREAM_INTERRUPTED" });
  await settled();
  // What stays: the stream's log, for `resume`, and the name of an event that was listened to.
  expect(held(client)).toBeLessThanOrEqual(empty + 2);
  expect([world.timers.length, world.listeners.size]).toEqual([0, 0]);
}, 120_000);
