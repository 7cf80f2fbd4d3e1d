import {
  EMPTY_LOG,
  HanzoLiveClient,
  SessionStore,
  type MemberInfo,
  type PresenceUser,
  type SessionInfo,
  type User,
} from "@hanzo/live-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { PresenceStore } from "../src";
import { fixture, start, TestServer, type Entry } from "../../live-client/test/support";

const ME = fixture<{ user: User }>("reply.welcome").user;
const bo: User = { id: "u-bo", name: "Bo", avatar: null };
const cleo: User = { id: "u-cleo", name: "Cleo", avatar: null };
const PATIENCE = { timeout: 8000 };

let server: TestServer;
let client: HanzoLiveClient;
let session: SessionStore;
let presence: PresenceStore;
let close: () => void;

const here = (user: User, fields: Partial<PresenceUser> = {}): PresenceUser => ({
  user,
  connections: 1,
  status: "active",
  typing: false,
  cursor: null,
  left: false,
  ...fields,
});

function tell(fields: object): void {
  for (const peer of server.peers) peer.send({ type: "presence", log: "session:p", ...fields });
}

const said = () =>
  server.received
    .filter(({ type }) => type === "presence.set")
    .map((frame) => {
      const fields = Object.entries(frame).filter(([name]) => !["id", "type", "session"].includes(name));
      return Object.fromEntries(fields);
    });
const names = () => presence.getSnapshot().people.map(({ user }) => user.name);
const sees = (isMet: () => boolean) => vi.waitFor(() => expect(isMet()).toBe(true), PATIENCE);

beforeEach(async () => {
  server = await TestServer.start();
  const { session: info } = fixture<{ state: { session: SessionInfo } }>("event.snapshot").state;
  const members: MemberInfo[] = [ME, bo, cleo].map((user) => ({ user, role: "editor" }));
  server.log("session:p", { ...EMPTY_LOG, session: { ...info, id: "p" }, members });
  client = new HanzoLiveClient({
    url: server.url,
    WebSocket,
    reconnect: { delayMs: 5, maxAttempts: Infinity },
  });
  session = new SessionStore(client, "p");
  presence = new PresenceStore(session);
  const closers = [session.open(), presence.open()];
  close = () => {
    for (const each of closers.splice(0).reverse()) each();
  };
  await sees(() => session.getSnapshot().status === "ready");
});

afterEach(async () => {
  close();
  client.disconnect();
  await server.stop();
  vi.useRealTimers();
});

describe("who is here", () => {
  it("is told with what they do, oneself last", async () => {
    tell({ users: [here(ME), here(bo, { connections: 3 }), here(cleo, { status: "idle" })], total: 3 });
    await sees(() => names().length === 3);
    expect(names()).toEqual(["Bo", "Cleo", "Ada"]);
    expect(presence.getSnapshot()).toMatchObject({
      people: [{ isMe: false, status: "active" }, { status: "idle" }, { isMe: true }],
      total: 3,
      isSummarised: false,
    });
    tell({ changes: [here(bo, { typing: true })], total: 3 });
    await sees(() => presence.getSnapshot().people[0]?.isTyping === true);
    tell({ changes: [here(bo, { left: true })], total: 2 });
    await sees(() => names().join() === "Cleo,Ada");
  });

  it("is a number alone where they are too many", async () => {
    tell({ users: [here(bo, { cursor: { pointer: { message: null, x: 0, y: 0 } } })], total: 1 });
    await sees(() => presence.getCursors().length === 1);
    tell({ users: [], total: 512, summarised: true });
    await sees(() => presence.getSnapshot().isSummarised);
    expect(presence.getSnapshot()).toMatchObject({ people: [], total: 512 });
    await sees(() => presence.getCursors().length === 0);
    presence.move({ pointer: { message: null, x: 0.5, y: 0.5 } });
    tell({ users: [here(bo)], total: 1 });
    await sees(() => said().length > 0);
    expect(said()).toEqual([{ cursor: { pointer: { message: null, x: 0.5, y: 0.5 } } }]);
  });

  it("asks the model while an answer for them is written", async () => {
    tell({ users: [here(bo)], total: 1 });
    const message = fixture<{ message: object }>("event.message").message;
    const reply = { ...message, id: "r", n: 1, role: "assistant", status: "queued", stream: "s", user: bo };
    server.publish("session:p", { type: "message", message: reply } as Entry, start("s"));
    await sees(() => presence.getSnapshot().people[0]?.isAsking === true);
    server.publish("session:p", {
      type: "error",
      stream: "s",
      code: "internal",
      message: "No.",
      retryable: true,
      partial: false,
      usage: null,
    });
    await sees(() => presence.getSnapshot().people[0]?.isAsking === false);
  });

  it("does not blink where the connection is back soon, and is not known where it is gone for long", async () => {
    tell({ users: [here(bo)], total: 1 });
    await sees(() => names().length === 1);
    const seen: number[] = [];
    presence.subscribe(() => seen.push(names().length));
    server.cut();
    await sees(() => server.accepted === 2 && server.count("subscribe") === 2);
    tell({ users: [here(bo, { status: "idle" })], total: 1 });
    await sees(() => presence.getSnapshot().people[0]?.status === "idle");
    expect(Math.min(...seen)).toBe(1);

    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    server.handlers.set("hello", () => undefined);
    server.cut();
    while (client.connectionState.status === "live") await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(5000);
    expect(presence.getSnapshot()).toEqual({ people: [], total: null, isSummarised: false });
  });
});

describe("what one does", () => {
  it("is typing while keys are pressed, said again within the server's patience, and not any more after a pause", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const press = async (ms: number) => {
      presence.typed();
      await vi.advanceTimersByTimeAsync(ms);
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let second = 0; second < 7; second += 1) await press(1000);
    await server.until(() => said().length === 3);
    expect(said()).toEqual([{ typing: true }, { typing: true }, { typing: true }]);
    await press(3100);
    await server.until(() => said().length > 3);
    expect(said().at(-1)).toEqual({ typing: false });
  });

  it("is said by its last state, however fast it changes, and again after a reconnect", async () => {
    for (let step = 1; step <= 100; step += 1) {
      presence.move({ pointer: { message: "m", x: step / 100, y: 0 } });
      if (step % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    presence.move({ draft: { generation: 1, anchor: "AA", head: "AA" } });
    const last = {
      cursor: { draft: { generation: 1, anchor: "AA", head: "AA" }, pointer: { message: "m", x: 1, y: 0 } },
    };
    await sees(() => JSON.stringify(said().at(-1)) === JSON.stringify(last));
    expect(said().length).toBeLessThan(6);
    const before = said().length;
    server.cut();
    await sees(() => said().length > before);
    expect(said().at(-1)).toEqual(last);
    presence.move({ draft: null, pointer: null });
    await sees(() => said().at(-1)?.["cursor"] === null);
  });

  it("is idle when the page is out of view, and active when it is back", async () => {
    const view = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    await sees(() => said().length === 1);
    view.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    await sees(() => said().length === 2);
    expect(said()).toEqual([{ status: "idle" }, { status: "active" }]);
    view.mockRestore();
  });
});

describe("the others' cursors", () => {
  it("are theirs and not one's own, and what makes no sense is left out", async () => {
    const pointer = { message: "m", x: 0.25, y: 0.5 };
    const draft = { generation: 2, anchor: "AA", head: "AQ" };
    tell({
      users: [
        here(ME, { cursor: { pointer } }),
        here(bo, { cursor: { pointer, draft } }),
        here(cleo, { cursor: { pointer: { x: "left", y: 1e9 }, draft: ["?"] } }),
      ],
      total: 3,
    });
    await sees(() => presence.getCursors().length === 2);
    expect(presence.getCursors()).toEqual([
      { user: bo, isIdle: false, pointer, draft },
      { user: cleo, isIdle: false, pointer: null, draft: null },
    ]);
  });

  it("move without drawing the page anew", async () => {
    tell({ users: [here(bo)], total: 1 });
    await sees(() => names().length === 1);
    let drawn = 0;
    session.subscribe(() => (drawn += 1));
    for (let step = 0; step < 5; step += 1) {
      tell({ changes: [here(bo, { cursor: { pointer: { message: null, x: step / 5, y: 0 } } })], total: 1 });
    }
    await sees(() => presence.getCursors()[0]?.pointer?.x === 0.8);
    expect(drawn).toBe(0);
    tell({ changes: [here(bo, { left: true })], total: 0 });
    await sees(() => presence.getCursors().length === 0);
  });
});
