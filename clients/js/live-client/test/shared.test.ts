import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { HanzoLiveClient, SessionStore } from "../src";
import { defaultEnvironment } from "../src/environment";
import { SharedSocket } from "../src/shared";
import { Tabs } from "../src/shared/tabs";
import { FakeLocks } from "./support/locks";
import { complete, start, TestServer, token } from "./support/server";

let server: TestServer;
let locks: FakeLocks;
const open: Tab[] = [];

/** A browser's tab: its client, and its place among those that share a socket. */
class Tab {
  readonly tabs = new Tabs(`${server.url}/v1/live`, WebSocket, this.manager as unknown as LockManager);
  readonly client = new HanzoLiveClient(
    { url: server.url, reconnect: { delayMs: 5 } },
    { ...defaultEnvironment(), openSocket: (url) => new SharedSocket(url, this.tabs) },
  );

  constructor(private readonly manager: Pick<FakeLocks, "request"> = locks) {
    open.push(this);
  }

  close(): void {
    this.client.disconnect();
    this.tabs.end();
  }
}

beforeEach(async () => {
  server = await TestServer.start();
  locks = new FakeLocks();
});

afterEach(async () => {
  for (const tab of open.splice(0)) tab.close();
  await server.stop();
});

async function content(store: SessionStore, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = () => {
      if (store.getSnapshot().streams["s"]?.content === text) resolve();
    };
    store.subscribe(check);
    check();
  });
}

it("has one socket for all, and each tab gets its own answers", async () => {
  const tabs = [new Tab(), new Tab(), new Tab()];
  const streams = tabs.map(({ client }, n) => client.chat({ content: `${n}` }));
  await server.until(() => server.count("stream.start") === 3);
  const asked = server.received.filter(({ type }) => type === "stream.start").map((frame) => Number(frame["content"]));
  asked.forEach((n, order) => {
    const id = `s${order + 1}`;
    server.publish(`stream:${id}`, start(id), token(id, `answer ${n}`), complete(id));
  });
  expect(await Promise.all(streams.map((stream) => stream.text()))).toEqual(["answer 0", "answer 1", "answer 2"]);
  expect(server.accepted).toBe(1);
});

it("takes no tab for gone whose request for a lock comes later than its word", async () => {
  const one = new Tab();
  await one.client.connect();
  const two = new Tab({
    request: async (...asked: Parameters<FakeLocks["request"]>) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return locks.request(...asked);
    },
  });
  await two.client.connect();
  expect(server.accepted).toBe(1);
});

it("gives two tabs one log, whole for each, and leaves it when the last one does", async () => {
  const [one, two] = [new Tab(), new Tab()];
  const first = new SessionStore(one.client, "p");
  first.open();
  await server.until(() => server.count("subscribe") === 1);
  server.publish("session:p", start("s"), token("s", "one "));
  await content(first, "one ");
  const second = new SessionStore(two.client, "p");
  const leave = second.open();
  await content(second, "one ");
  leave();
  two.client.stop("s").catch(() => undefined);
  await server.until(() => server.count("stream.stop") === 1);
  server.publish("session:p", token("s", "two"));
  await content(first, "one two");
  expect([server.accepted, server.count("unsubscribe")]).toEqual([1, 0]);
  one.close();
  await server.until(() => server.peers.size === 0 || server.count("unsubscribe") === 1);
});

it("goes on through another tab when the one that has the socket is closed", async () => {
  const [one, two] = [new Tab(), new Tab()];
  await one.client.connect();
  const store = new SessionStore(two.client, "p");
  store.open();
  await server.until(() => server.count("subscribe") === 1);
  server.publish("session:p", start("s"), token("s", "one "));
  await content(store, "one ");
  one.close();
  server.log("session:p").append(token("s", "two "));
  await server.until(() => server.accepted === 2 && server.count("subscribe") === 2);
  server.publish("session:p", token("s", "three"));
  await content(store, "one two three");
  expect(server.received.filter(({ type }) => type === "subscribe")[1]).toMatchObject({ seq: 2 });
});

it("comes back in all tabs when the socket is cut", async () => {
  const tabs = [new Tab(), new Tab()];
  await Promise.all(tabs.map(({ client }) => client.connect()));
  const back = tabs.map(({ client }) => new Promise<void>((resolve) => client.on("reconnected", resolve)));
  server.cut();
  await Promise.all(back);
  expect(server.accepted).toBe(2);
});
