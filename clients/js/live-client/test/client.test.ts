import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  HanzoLiveClient,
  LiveError,
  SessionStore,
  VERSION,
  type HanzoLiveClientOptions,
  type LogEvent,
} from "../src";
import { fixture } from "./support/fixtures";
import type { Entry } from "./support/log";
import { complete, start, TestServer, token } from "./support/server";

let server: TestServer;
const clients: HanzoLiveClient[] = [];

function connect(options: HanzoLiveClientOptions = {}): HanzoLiveClient {
  const client = new HanzoLiveClient({ url: server.url, reconnect: { delayMs: 5 }, WebSocket, ...options });
  clients.push(client);
  return client;
}

/** Resolves with the first event that passes. */
function next(client: HanzoLiveClient, event: "error" | "reconnected" | "stream_complete"): Promise<unknown> {
  return new Promise((resolve) => client.on(event, resolve as never));
}

function aborting(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

beforeEach(async () => {
  server = await TestServer.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await server.stop();
});

describe("connecting", () => {
  it("says hello with its name, version and token, and knows who it is", async () => {
    const welcome = await connect({ token: "t-1" }).connect();
    expect(welcome.user.name).toBe("Ada");
    expect(server.received[0]).toMatchObject({
      type: "hello",
      token: "t-1",
      client: `hanzo-live-js/${VERSION}`,
    });
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(VERSION).toBe(manifest.version);
  });

  it("comes back after a cut, and says so", async () => {
    const client = connect();
    await client.connect();
    const attempts: number[] = [];
    client.on("reconnect", (attempt) => attempts.push(attempt));
    const back = next(client, "reconnected");
    server.cut();
    await back;
    expect(attempts).toEqual([1]);
    expect(client.connectionState.status).toBe("live");
  });

  it("gives up when attempts are spent, rejects what waits, and connects again when asked", async () => {
    const { port } = server;
    const client = connect({ reconnect: { delayMs: 1, maxAttempts: 2 } });
    await client.connect();
    const noticed = next(client, "error");
    await server.stop();
    await noticed;
    await expect(client.waitForReconnect()).rejects.toMatchObject({ code: "DISCONNECTED" });
    expect(client.connectionState.status).toBe("offline");
    server = await TestServer.start(port);
    await client.connect();
    expect(client.connectionState.status).toBe("live");
  });

  it("does not come back where that mends nothing, and tells the server's reason", async () => {
    const client = connect();
    await client.connect();
    const ended = new Promise<void>((resolve) => {
      client.on("connection", (state) => state.status === "ended" && resolve());
    });
    server.close(4401, {
      ...fixture("reply.error"),
      id: null,
      code: "unauthenticated",
      message: "Sign in again.",
    });
    await ended;
    expect(client.connectionState).toMatchObject({
      error: { code: "UNAUTHENTICATED", message: "Sign in again." },
    });
    expect(server.accepted).toBe(1);
  });

  it("asks once for a fresh token when the old one is refused", async () => {
    const tokens = ["old", "new"];
    server.handlers.set("hello", (frame, peer) => {
      if (frame["token"] === "new") server.answer(frame, peer);
      else
        peer.send({ ...fixture("reply.error"), id: frame.id, code: "unauthenticated", message: "Expired." });
    });
    await connect({ getToken: () => tokens.shift() ?? "none" }).connect();
    expect(server.received.map((frame) => frame["token"])).toEqual(["old", "new"]);
  });

  it("waits as long as the server asks before it comes back", async () => {
    const client = connect();
    await client.connect();
    const waiting = new Promise<number>((resolve) => {
      client.on("connection", (state) => state.status === "waiting" && resolve(state.retryAt));
    });
    const before = Date.now();
    server.close(4503, {
      ...fixture("reply.error"),
      id: null,
      code: "busy",
      retry_after: 30,
      retryable: true,
    });
    expect((await waiting) - before).toBeGreaterThanOrEqual(29_000);
  });

  it("moves on goaway", async () => {
    const client = connect();
    await client.connect();
    const back = next(client, "reconnected");
    for (const peer of server.peers) peer.send({ ...fixture("event.goaway"), reconnect_after_ms: 1 });
    await back;
    expect(server.accepted).toBe(2);
  });
});

describe("a stream", () => {
  it("iterates strings, and has events and text beside them", async () => {
    const client = connect();
    // As the quick start has it; a stream is no promise, and awaiting it gives the same object.
    // eslint-disable-next-line @typescript-eslint/await-thenable
    const stream = await client.chat({ content: "Hi" });
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "Hel"), token("s1", "lo"), complete("s1"));
    let text = "";
    for await (const piece of stream) text += piece;
    expect(text).toBe("Hello");
    expect(await stream.text()).toBe("Hello");
    const types: string[] = [];
    for await (const event of stream.events()) types.push(event.type);
    expect(types).toEqual(["stream_start", "token", "token", "complete"]);
    await server.until(() => server.count("unsubscribe") === 1);
  });

  it("iterates events where they are asked for, and tells the client's listeners", async () => {
    const client = connect({ model: "script-fast" });
    const completed = next(client, "stream_complete");
    const stream = client.stream({ content: "Hi", streamToolCalls: true });
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "Yes"), complete("s1"));
    const seen: string[] = [];
    for await (const event of stream) seen.push(event.type === "token" ? event.data : event.type);
    expect(seen).toEqual(["stream_start", "Yes", "complete"]);
    expect(await completed).toEqual({
      stream: "s1",
      duration: 100,
      totalTokens: 3,
      tokensPerSecond: 30,
      firstToken: expect.any(Number) as number,
      cached: null,
    });
    expect(server.received[1]).toMatchObject({ model: "script-fast", stream_tool_calls: true });
  });

  it("goes on through a cut, and finds what was lost meanwhile", async () => {
    const client = connect();
    const stream = client.chat({ content: "Hi" });
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "one "));
    server.cut();
    server.log("stream:s1").append(token("s1", "two "));
    await server.until(() => server.count("subscribe") === 1);
    server.publish("stream:s1", token("s1", "three"), complete("s1"));
    expect(await stream.text()).toBe("one two three");
  });

  it("throws STREAM_INTERRUPTED with the text so far where it does not resume, and reads on with resume()", async () => {
    const client = connect({ resumeOnReconnect: false });
    const stream = client.chat({ content: "Hi" });
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "one "));
    let error: unknown;
    try {
      for await (const piece of stream) if (piece) server.cut();
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code: "STREAM_INTERRUPTED", stream: "s1", text: "one " });
    await client.waitForReconnect();
    const again = client.resume((error as LiveError).stream as string);
    server.publish("stream:s1", token("s1", "two"), complete("s1"));
    expect(await again.text()).toBe("one two");
  });

  it("surfaces a refusal on iteration, and nowhere as an unhandled rejection", async () => {
    server.handlers.set("stream.start", (frame, peer) =>
      peer.send({
        ...fixture("reply.error"),
        id: frame.id,
        code: "busy",
        message: "No free slot.",
        retryable: true,
      }),
    );
    const client = connect();
    client.chat({ content: "nobody reads this one" });
    await expect(client.chat({ content: "Hi" }).text()).rejects.toMatchObject({
      code: "BUSY",
      retryable: true,
    });
  });

  it("throws what the stream failed with, and has the text so far", async () => {
    const stream = connect().chat({ content: "Hi" });
    await server.until(() => server.count("stream.start") === 1);
    const failure: Entry = {
      type: "error",
      stream: "s1",
      code: "node_error",
      message: "The node failed.",
      retryable: true,
      partial: true,
      usage: null,
    };
    server.publish("stream:s1", start("s1"), token("s1", "half"), failure);
    await expect(stream.text()).rejects.toMatchObject({ code: "NODE_ERROR", stream: "s1", text: "half" });
  });

  it("starts once though the connection breaks before the answer", async () => {
    let first = true;
    server.handlers.set("stream.start", (frame, peer) => {
      if (first) server.cut();
      else server.answer(frame, peer);
      first = false;
    });
    const stream = connect().chat({ content: "Hi" });
    await server.until(() => server.count("stream.start") === 2);
    const keys = server.received.filter(({ type }) => type === "stream.start").map((frame) => frame["key"]);
    expect(keys[0]).toBe(keys[1]);
    server.publish("stream:s1", start("s1"), token("s1", "ok"), complete("s1"));
    expect(await stream.text()).toBe("ok");
  });

  it("stops, also when asked before the server gave it an id", async () => {
    const stream = connect().chat({ content: "Hi" });
    await stream.stop();
    await server.until(() => server.count("stream.stop") === 1);
    expect(server.received.at(-1)).toMatchObject({ type: "stream.stop", stream: "s1" });
  });

  it("is not sent where its signal had aborted, and is withdrawn where it does before the connection is there", async () => {
    const client = connect();
    await expect(client.chat({ content: "Hi", signal: AbortSignal.abort() }).text()).rejects.toMatchObject({
      name: "AbortError",
    });
    const soon = new AbortController();
    const stream = client.chat({ content: "Hi", signal: soon.signal });
    soon.abort(new Error("changed my mind"));
    await expect(stream.text()).rejects.toThrow("changed my mind");
    await client.connect();
    await client.stop("another");
    expect(server.count("stream.start")).toBe(0);
  });

  it("is stopped and left when its signal aborts, and reading it throws the signal's reason", async () => {
    const { signal, abort } = aborting();
    const stream = connect().chat({ content: "Hi", signal });
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "one "));
    const reading = (async () => {
      for await (const piece of stream) if (piece) abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    await server.until(() => server.count("stream.stop") === 1 && server.count("unsubscribe") === 1);
  });

  it("is stopped when its signal aborts before the server gave it an id", async () => {
    const { signal, abort } = aborting();
    server.handlers.set("stream.start", (frame, peer) => {
      abort();
      server.answer(frame, peer);
    });
    const stream = connect({ multiplexing: false }).chat({ content: "Hi", signal });
    await expect(stream.text()).rejects.toMatchObject({ name: "AbortError" });
    await server.until(() => server.count("stream.stop") === 1 && server.peers.size === 1);
  });

  it("is held back while whoever iterates it is slow, and goes on from there without loss", async () => {
    const stream = connect().stream({ content: "Hi", events: true });
    const reading = stream[Symbol.asyncIterator]();
    await server.until(() => server.count("stream.start") === 1);
    const pieces = Array.from({ length: 200 }, (_, n) => `${n}`.padEnd(1000, "."));
    server.publish("stream:s1", start("s1"), token("s1", "first"));
    expect((await reading.next()).value).toMatchObject({ type: "stream_start" });
    for (const piece of pieces.slice(0, 100)) server.publish("stream:s1", token("s1", piece));
    await server.until(() => server.count("unsubscribe") === 1);
    expect(stream.state?.content.length).toBeLessThan(100_000);
    for (const piece of pieces.slice(100)) server.publish("stream:s1", token("s1", piece));
    server.publish("stream:s1", complete("s1"));
    let text = "";
    for (let next = await reading.next(); !next.done; next = await reading.next())
      if (next.value.type === "token") text += next.value.data;
    expect(text).toBe("first" + pieces.join(""));
    const asked = server.received.filter(({ type }) => type === "subscribe");
    expect(asked[0]).toMatchObject({ log: "stream:s1", epoch: "e1" });
    expect(asked[0]?.["seq"]).toBeGreaterThan(1);
  });

  it("is not held back for one slow reader while another one keeps up, nor when nobody iterates", async () => {
    const stream = connect().chat({ content: "Hi" });
    const slow = stream.events();
    const whole = stream.text();
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"));
    await slow.next();
    for (let n = 0; n < 2000; n++) server.publish("stream:s1", token("s1", "x".repeat(100)));
    server.publish("stream:s1", complete("s1"));
    expect((await whole).length).toBe(200_000);
    let [events, text] = [1, 0];
    for await (const event of slow) {
      events += 1;
      if (event.type === "token") text += event.data.length;
    }
    expect(text).toBe(200_000);
    expect(events).toBeLessThan(1_100);
  });

  it("has a socket of its own without multiplexing", async () => {
    const client = connect({ multiplexing: false });
    const [one, two] = [client.chat({ content: "1" }), client.chat({ content: "2" })];
    await server.until(() => server.count("stream.start") === 2);
    expect(server.peers.size).toBe(2);
    server.publish("stream:s1", start("s1"), token("s1", "a"), complete("s1"));
    server.publish("stream:s2", start("s2"), token("s2", "b"), complete("s2"));
    expect((await Promise.all([one.text(), two.text()])).sort()).toEqual(["a", "b"]);
    await server.until(() => server.peers.size === 0);
  });
});

describe("a session", () => {
  const log = "session:p";

  async function opened(client: HanzoLiveClient): Promise<SessionStore> {
    const store = new SessionStore(client, "p", { showThoughts: true });
    store.open();
    await until(store, (state) => state.status === "ready");
    return store;
  }

  it("repairs what was lost on the way, and asks from where it is", async () => {
    const store = await opened(connect());
    server.publish(log, start("s"), token("s", "one "));
    server.lose = (event) => event.type === "token" && event.data === "two ";
    server.publish(log, token("s", "two "), token("s", "three"));
    await until(store, (state) => state.streams["s"]?.content === "one two three");
    const asked = server.received.filter(({ type }) => type === "subscribe");
    expect(asked.at(-1)).toMatchObject({ epoch: "e1", seq: 2 });
  });

  it("takes a snapshot when the log is of another epoch", async () => {
    const store = await opened(connect());
    server.publish(log, start("s"), token("s", "old"));
    await until(store, (state) => state.streams["s"]?.content === "old");
    server.logs.delete(log);
    server.log(log).epoch = "e2";
    server.log(log).append(start("s"));
    server.log(log).append(token("s", "new"));
    server.cut();
    await until(store, (state) => state.streams["s"]?.content === "new");
  });

  it("shows a sent message once, whether the log or the reply comes first", async () => {
    const store = await opened(connect());
    const sending = store.send("Hello");
    await until(store, (state) => state.outgoing.length === 1 || state.messages.length === 1);
    await sending;
    const state = await until(
      store,
      ({ messages, outgoing }) => messages.length === 1 && outgoing.length === 0,
    );
    expect(state.messages[0]).toMatchObject({ content: "Hello" });
  });

  it("keeps a refused message, and sends it again with the same key", async () => {
    const store = await opened(connect());
    server.handlers.set("message.send", (frame, peer) =>
      peer.send({ ...fixture("reply.error"), id: frame.id, code: "busy", message: "No free slot." }),
    );
    await store.send("Hello");
    const failed = await until(store, ({ outgoing }) => outgoing[0]?.status === "failed");
    server.handlers.clear();
    await store.resend(failed.outgoing[0]?.key ?? "");
    await until(store, ({ messages, outgoing }) => messages.length === 1 && outgoing.length === 0);
    const keys = server.received.filter(({ type }) => type === "message.send").map((frame) => frame["key"]);
    expect(new Set(keys).size).toBe(1);
  });

  it("says why access ended, and asks no more", async () => {
    const store = await opened(connect());
    for (const peer of server.peers)
      peer.send({ type: "unsubscribed", log, reason: "removed" } satisfies LogEvent);
    const state = await until(store, ({ status }) => status === "ended");
    expect(state.endedBy?.message).toContain("no longer a member");
  });

  it("goes on watching a session that was archived, and hears that it is open again", async () => {
    const store = await opened(connect());
    server.publish(log, { type: "session", session: { archived: true } });
    for (const peer of server.peers)
      peer.send({ type: "unsubscribed", log, reason: "archived" } satisfies LogEvent);
    await server.until(() => server.count("subscribe") === 2);
    expect((await until(store, ({ session }) => session?.archived === true)).status).toBe("ready");
    server.publish(log, { type: "session", session: { archived: false } });
    await until(store, ({ session }) => session?.archived === false);
  });

  it("says that a session cannot be had", async () => {
    server.handlers.set("subscribe", (frame, peer) =>
      peer.send({
        ...fixture("reply.error"),
        id: frame.id,
        code: "not_found",
        message: "There is no such session.",
      }),
    );
    const store = new SessionStore(connect(), "p");
    store.open();
    const state = await until(store, ({ status }) => status === "ended");
    expect(state.endedBy?.code).toBe("NOT_FOUND");
  });

  it("is not disturbed by a second reader of the same log, and leaves when the last one does", async () => {
    const client = connect();
    const store = await opened(client);
    server.publish(log, start("s"), token("s", "one "));
    const second = new SessionStore(client, "p");
    const close = second.open();
    await until(second, (state) => state.streams["s"]?.content === "one ");
    close();
    server.publish(log, token("s", "two"));
    await until(store, (state) => state.streams["s"]?.content === "one two");
    expect(server.count("unsubscribe")).toBe(0);
  });

  it("hands everything on to whoever listens, from each subscription on", async () => {
    const session = await opened(connect());
    const heard: string[] = [];
    const leave = session.listen({
      opened: () => heard.push("opened"),
      event: ({ type }) => heard.push(type),
      ended: ({ code }) => heard.push(code),
    });
    expect(heard).toEqual(["opened"]);
    server.cut();
    await server.until(() => server.count("subscribe") === 2);
    for (const peer of server.peers) peer.send({ type: "draft", log, generation: 1 });
    for (const peer of server.peers) peer.send({ type: "unsubscribed", log, reason: "removed" });
    await until(session, (state) => state.status === "ended");
    expect(heard).toEqual(["opened", "opened", "draft", "unsubscribed", "FORBIDDEN"]);
    leave();
  });

  it("keeps older messages that were loaded when it comes back", async () => {
    const message = fixture<{ message: { id: string } }>("event.message").message;
    for (let n = 1; n <= 60; n++) {
      server.log(log).append({ type: "message", message: { ...message, id: `m${n}`, n } } as never);
    }
    const store = await opened(connect());
    expect(store.getSnapshot().messages).toHaveLength(50);
    const older = server.log(log).state().messages.slice(0, 10);
    store.addOlder(older, false);
    server.log(log).epoch = "e2";
    server.cut();
    await server.until(() => server.count("subscribe") === 2);
    server.publish(log, start("s"));
    const state = await until(store, ({ streams }) => "s" in streams);
    expect(state.messages.map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(state.hasMore).toBe(false);
  });
});

function until(
  store: SessionStore,
  condition: (state: ReturnType<SessionStore["getSnapshot"]>) => boolean,
): Promise<ReturnType<SessionStore["getSnapshot"]>> {
  return new Promise((resolve) => {
    const check = () => {
      if (!condition(store.getSnapshot())) return;
      off();
      resolve(store.getSnapshot());
    };
    const off = store.subscribe(check);
    queueMicrotask(check);
  });
}
