import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { HanzoLiveClient, type LiveStream, type StreamEvent } from "../src";
import { fixture } from "./support/fixtures";
import type { Entry } from "./support/log";
import { complete, start, TestServer, token } from "./support/server";

let server: TestServer;
let client: HanzoLiveClient;

beforeEach(async () => {
  server = await TestServer.start();
  client = new HanzoLiveClient({ url: server.url, reconnect: { delayMs: 5 }, WebSocket });
});

afterEach(async () => {
  client.disconnect();
  await server.stop();
});

const call = (id: string, fields: Partial<Extract<Entry, { type: "tool_call" }>> = {}): Entry => ({
  type: "tool_call",
  stream: "s1",
  call: id,
  tool: "dig",
  args: { deep: 1 },
  status: "running",
  user: null,
  ...fields,
});

const gave = (id: string, outcome: { result: unknown } | { error: string }): Entry => ({
  type: "tool_result",
  stream: "s1",
  call: id,
  duration_ms: 5,
  ...outcome,
});

/** The events in short. */
async function told(events: AsyncIterable<StreamEvent>): Promise<string[]> {
  const words: string[] = [];
  for await (const event of events) {
    if (event.type === "tool_call") words.push(`${event.call} ${event.status} ${JSON.stringify(event.args)}`);
    else if (event.type === "tool_result") words.push(`${event.call} gave ${String(event.error ?? event.result)}`);
    else if (event.type === "token") words.push(event.data);
    else words.push(event.type);
  }
  return words;
}

/** Cuts, and while the client is away loses the log's epoch: what comes back is a snapshot. */
async function away(log: string, ...meanwhile: Entry[]): Promise<void> {
  const before = server.count("subscribe");
  server.cut();
  server.log(log).epoch = "e2";
  for (const entry of meanwhile) server.log(log).append(entry);
  await server.until(() => server.count("subscribe") > before);
}

describe("a tool's result that came while the client was away", () => {
  it("is told once, and what was told before is not told again", async () => {
    const stream: LiveStream<StreamEvent> = client.stream({ content: "Hi", events: true });
    const reading = told(stream);
    const log = "stream:s1";
    await server.until(() => server.count("stream.start") === 1);
    server.publish(log, start("s1"), call("c1"), gave("c1", { result: "coin" }), call("c2"), call("c3"));
    server.publish(log, call("c4", { args: null, args_delta: '{"de', status: "streaming" }));
    await away(log, gave("c2", { result: null }), gave("c3", { error: "too hard" }), call("c4"), call("c5"));
    server.publish(log, gave("c4", { result: "pot" }), gave("c5", { result: "bone" }), token("s1", "Done."));
    server.publish(log, complete("s1"));
    expect(await reading).toEqual([
      "stream_start",
      'c1 running {"deep":1}',
      "c1 gave coin",
      'c2 running {"deep":1}',
      'c3 running {"deep":1}',
      "c4 streaming null",
      "c2 gave null",
      "c3 gave too hard",
      'c4 running {"deep":1}',
      'c5 running {"deep":1}',
      "c4 gave pot",
      "c5 gave bone",
      "Done.",
      "complete",
    ]);
    expect(stream.state?.toolCalls.map(({ status }) => status)).toEqual([
      "complete",
      "complete",
      "failed",
      "complete",
      "complete",
    ]);
  });

  it("is told though the answer is over by then, and only the session's message has it", async () => {
    const log = "session:p";
    await client.sendMessage({ session: "p", content: "Dig" });
    const stream = client.resume("s1");
    const reading = told(stream.events());
    await server.until(() => server.count("subscribe") === 1);
    const reply = { ...fixture<{ message: object }>("event.message").message, id: "r", n: 2, role: "assistant" };
    const message = { ...reply, content: "", stream: "s1", status: "queued", key: null };
    server.publish(log, { type: "message", message } as Entry, { ...start("s1"), message: "r" } as Entry);
    server.publish(log, call("c1"), call("c2"));
    const denied = call("c2", { status: "denied" });
    const more = [gave("c1", { result: "coin" }), denied, gave("c2", { error: "denied" }), call("c3")];
    await away(log, ...more, gave("c3", { result: "pot" }), token("s1", "Done."), complete("s1"));
    expect(await reading).toEqual([
      "stream_start",
      'c1 running {"deep":1}',
      'c2 running {"deep":1}',
      "c1 gave coin",
      'c2 denied {"deep":1}',
      "c2 gave denied",
      'c3 running {"deep":1}',
      "c3 gave pot",
      "Done.",
      "complete",
    ]);
  });
});
