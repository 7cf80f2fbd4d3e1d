import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogPosition, type LogEvent } from "../src";
import { RECONNECT_DEFAULTS, reconnectDelay } from "../src/backoff";
import { Connection } from "../src/connection";
import { restUrl, socketUrl } from "../src/url";
import { fixture } from "./support/fixtures";
import { FakeWorld, settled, type FakeSocket } from "./support/world";

describe("the position in a log", () => {
  const at = (seq: number) => {
    const position = new LogPosition();
    position.resume({ mode: "live", epoch: "e", seq });
    return position;
  };
  const frame = (type: "token" | "message", seq: number, prev?: number): LogEvent =>
    ({ ...fixture<object>(`event.${type}`), seq, prev }) as LogEvent;

  it.each([
    ["the next one", frame("token", 11), "apply"],
    ["one had already", frame("token", 10), "drop"],
    ["one after a hole", frame("token", 12), "gap"],
    ["a merged one that begins where we are", frame("token", 14, 10), "apply"],
    ["a merged one that the server split wrong", frame("token", 14, 8), "gap"],
    ["a merged one all of which was had", frame("token", 9, 5), "drop"],
    ["one that skips what is not for us", frame("message", 14, 10), "apply"],
    ["one that does not add up, from before us", frame("message", 14, 8), "apply"],
  ])("takes %s for what it is", (_, event, verdict) => {
    const position = at(10);
    expect(position.take(event)).toBe(verdict);
    expect(position.seq).toBe(verdict === "apply" ? (event as { seq: number }).seq : 10);
  });

  it("drops everything while a subscription is renewed, and waits for the snapshot where one was announced", () => {
    const position = at(10);
    position.suspend();
    expect(position.take(frame("token", 11))).toBe("drop");
    position.resume({ mode: "snapshot", epoch: "f", seq: 20 });
    expect(position.take(frame("token", 21))).toBe("drop");
    expect(position.take({ ...fixture<LogEvent>("event.snapshot"), epoch: "f", seq: 20 } as LogEvent)).toBe(
      "apply",
    );
    expect(position.have()).toEqual({ epoch: "f", seq: 20 });
    expect(position.take(frame("token", 21))).toBe("apply");
  });
});

describe("waiting before the next attempt", () => {
  it("is anywhere up to a ceiling that doubles, and never above 30 s", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const delay = reconnectDelay(attempt, RECONNECT_DEFAULTS, () => random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(30_000, 1000 * 2 ** (attempt - 1)));
        },
      ),
    );
  });
});

describe("the socket's address", () => {
  it.each([
    ["ws://localhost:3001", "ws://localhost:3001/v1/live"],
    ["https://live.example.com/", "wss://live.example.com/v1/live"],
    ["wss://live.example.com/v1/live", "wss://live.example.com/v1/live"],
    ["http://example.com/behind/proxy", "ws://example.com/behind/proxy/v1/live"],
    [undefined, "ws://localhost:3001/v1/live"],
  ])("of %s is %s", (given, expected) => {
    expect(socketUrl(given)).toBe(expected);
  });
});

it("finds REST beside the socket, below whatever path the server has", () => {
  expect(restUrl("streams", "wss://api.example.com/live")).toBe("https://api.example.com/live/v1/streams");
});

describe("a connection that falls silent", () => {
  async function live() {
    const world = new FakeWorld();
    const connection = new Connection({ url: "ws://x/v1/live", client: "test" }, world);
    connection.start();
    await settled();
    world.sockets[0]?.welcome();
    expect(connection.state.status).toBe("live");
    return { world, connection, socket: world.sockets[0] as FakeSocket };
  }

  it("is asked, and stays where it answers", async () => {
    const { world, connection, socket } = await live();
    await world.advance(25_000);
    const ping = socket.sent.at(-1);
    expect(ping?.type).toBe("ping");
    socket.receive({ type: "pong", id: ping?.id });
    await world.advance(20_000);
    expect(connection.state.status).toBe("live");
    expect(world.sockets).toHaveLength(1);
  });

  it("is given up where it does not, and another is opened", async () => {
    const { world, connection, socket } = await live();
    await world.advance(25_000 + 8_000);
    expect(socket.closed).toBe(true);
    expect(connection.state.status).toBe("waiting");
    await world.advance(1000);
    world.sockets[1]?.welcome();
    expect(connection.state.status).toBe("live");
  });

  it("is asked at once when the computer wakes up", async () => {
    const { world, socket } = await live();
    world.sign("visible");
    expect(socket.sent.at(-1)?.type).toBe("ping");
  });

  it("is given up soon where another network is used and nothing comes back", async () => {
    const { world, connection, socket } = await live();
    world.sign("changed");
    expect(socket.sent.at(-1)?.type).toBe("ping");
    await world.advance(2_500);
    expect(connection.state.status).toBe("waiting");
  });

  it("does not wait out a delay when the network returns", async () => {
    const { world, connection, socket } = await live();
    socket.onclose?.({ code: 1006 } as never);
    expect(connection.state.status).toBe("waiting");
    world.sign("online");
    await settled();
    expect(world.sockets).toHaveLength(2);
  });

  it("is given up soon where the network is gone, whatever was on its way still arrives", async () => {
    const { world, connection, socket } = await live();
    world.sign("offline");
    expect(socket.sent.at(-1)?.type).toBe("ping");
    socket.receive(fixture("event.token"));
    await world.advance(2_000);
    expect(connection.state.status).toBe("live");
    world.sign("visible");
    await world.advance(500);
    expect(socket.closed).toBe(true);
    expect(connection.state.status).toBe("waiting");
  });

  it("stays without a network where the server answers all the same", async () => {
    const { world, connection, socket } = await live();
    world.sign("offline");
    socket.receive({ type: "pong", id: socket.sent.at(-1)?.id });
    await settled();
    await world.advance(24_000);
    expect(connection.state.status).toBe("live");
    await world.advance(1_000 + 8_000);
    expect(connection.state.status).toBe("waiting");
  });

  it("drops an attempt that was begun without a network as soon as there is one", async () => {
    const { world, connection, socket } = await live();
    socket.onclose?.({ code: 1006 } as never);
    await world.advance(1_000);
    expect(connection.state.status).toBe("connecting");
    world.sign("online");
    await settled();
    expect(world.sockets[1]?.closed).toBe(true);
    world.sockets[2]?.welcome();
    expect(connection.state.status).toBe("live");
  });

  it("is closed when the page is left, with a last word before, and comes back with the page", async () => {
    const { world, connection, socket } = await live();
    connection.on("leaving", () => void connection.request({ type: "bye" }).catch(() => undefined));
    world.sign("leaving");
    expect(socket.sent.at(-1)?.type).toBe("bye");
    expect(socket.closed).toBe(true);
    await world.advance(60_000);
    expect(world.sockets).toHaveLength(1);
    world.sign("returned");
    await settled();
    world.sockets[1]?.welcome();
    expect(connection.state.status).toBe("live");
  });

  it("gives up a socket that opens and never welcomes", async () => {
    const world = new FakeWorld();
    const connection = new Connection({ url: "ws://x/v1/live", client: "test" }, world);
    connection.start();
    await settled();
    world.sockets[0]?.onopen?.({} as never);
    await world.advance(10_000);
    expect(connection.state.status).toBe("waiting");
  });

  it("refuses a frame that the server would close for, and stays", async () => {
    const { connection } = await live();
    await expect(
      connection.request({ type: "message.send", content: "x".repeat(2_000_000) }),
    ).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
    expect(connection.state.status).toBe("live");
  });
});
