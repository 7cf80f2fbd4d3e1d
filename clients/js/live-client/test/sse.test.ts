import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HanzoLiveSSE, LiveError, type LiveEventSource } from "../src";
import { SseParser } from "../src/sse-parser";
import { fixture } from "./support/fixtures";
import { TestLog, type Logged } from "./support/log";
import { complete, start, token } from "./support/server";

describe("the parser", () => {
  const text = [
    ": a comment",
    "",
    "id: e.1",
    "event: token",
    'data: {"a": "日本語"}',
    "",
    "data:two",
    "data: lines",
    "",
    "event: nothing",
    "",
    "id",
    "data",
    "",
    "",
  ];
  const events = [
    { id: "e.1", type: "token", data: '{"a": "日本語"}' },
    { id: "e.1", type: "message", data: "two\nlines" },
    { id: "", type: "message", data: "" },
  ];

  it("finds the same events wherever the text is cut, and however lines end", () => {
    fc.assert(
      fc.property(fc.constantFrom("\n", "\r\n", "\r"), fc.array(fc.nat(120)), (ending, cuts) => {
        const whole = text.join(ending);
        const at = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const parser = new SseParser();
        const found = at.slice(1).flatMap((end, n) => parser.push(whole.slice(at[n], end)));
        // What ends in a lone carriage return may have a line feed to come.
        if (ending === "\r") found.push(...parser.push(":"));
        expect(found).toEqual(events);
      }),
    );
  });
});

describe("a stream over server-sent events", () => {
  let server: Server;
  let url: string;
  const asked: { method: string; path: string; lastId: string | undefined; body: Record<string, unknown> }[] = [];
  let answers: ((response: ServerResponse) => void)[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => void respond(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const piece of request) body += String(piece);
    asked.push({
      method: request.method ?? "",
      path: request.url ?? "",
      lastId: request.headers["last-event-id"] as string | undefined,
      body: (body ? JSON.parse(body) : {}) as Record<string, unknown>,
    });
    answers.shift()?.(response);
  }

  /** Sends the events, and ends or breaks the response. */
  function sends(events: Logged[], cut = false): (response: ServerResponse) => void {
    return (response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      for (const event of events)
        response.write(`id: e1.${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (cut) response.write("id: e1.9\nevent: tok", () => response.destroy());
      else response.end();
    };
  }

  function refuses(status: number, body: object): (response: ServerResponse) => void {
    return (response) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }

  function log(): Logged[] {
    const made = new TestLog("stream:s1");
    return [start("s1"), token("s1", "Hel"), token("s1", "lo"), complete("s1")].map((each) => made.append(each));
  }

  function asking(options: object = {}): LiveEventSource {
    return new HanzoLiveSSE({ url, reconnect: { delayMs: 1 }, ...options }).stream({ content: "Hi" });
  }

  /** What its listeners are told, until the end. */
  async function heard(source: LiveEventSource): Promise<string[]> {
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      source.addEventListener("stream_start", (event) => told.push(event.detail?.model ?? ""));
      source.addEventListener("token", (event) => told.push(event.data));
      source.addEventListener("complete", () => resolve());
      source.addEventListener("error", (event) => {
        told.push(event.error?.code ?? "");
        resolve();
      });
    });
    return told;
  }

  it("tells the text of each token, and the whole event beside it", async () => {
    answers = [sends(log())];
    expect(await heard(asking())).toEqual(["script-fast", "Hel", "lo"]);
    expect(asked).toMatchObject([{ method: "POST", path: "/v1/streams", body: { content: "Hi" } }]);
  });

  it("reads on after the last event it had when it is cut, as often as that happens", async () => {
    const events = log();
    answers = [sends(events.slice(0, 2), true), sends(events.slice(2, 3), true), sends(events.slice(3))];
    const source = asking();
    expect(await heard(source)).toEqual(["script-fast", "Hel", "lo"]);
    expect(await source.text()).toBe("Hello");
    expect(asked.slice(1)).toMatchObject([
      { method: "GET", path: "/v1/streams/s1/events", lastId: "e1.2" },
      { method: "GET", path: "/v1/streams/s1/events", lastId: "e1.3" },
    ]);
  });

  it("starts once though it is cut before anything came", async () => {
    answers = [sends([], true), sends(log())];
    expect(await asking().text()).toBe("Hello");
    expect(asked[0]?.body["key"]).toBe(asked[1]?.body["key"]);
  });

  it("says why it was refused, and asks no second time", async () => {
    const refusal = { ...fixture("reply.error"), code: "forbidden", retryable: false };
    answers = [refuses(403, refusal)];
    expect(await heard(asking())).toEqual(["FORBIDDEN"]);
    expect(asked).toHaveLength(1);
  });

  it("waits and tries again where it was refused for now, until attempts are spent", async () => {
    const busy = { ...fixture("reply.error"), code: "busy", retryable: true, retry_after: null };
    answers = [refuses(503, busy), sends(log()), refuses(503, busy), refuses(503, busy), refuses(503, busy)];
    expect(await asking().text()).toBe("Hello");
    const error: unknown = await asking({ reconnect: { delayMs: 1, maxAttempts: 2 } })
      .text()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LiveError);
    expect(error).toMatchObject({ code: "BUSY" });
    expect(asked).toHaveLength(5);
  });

  it("hears no more once it is closed", async () => {
    const events = log();
    answers = [
      (response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        for (const event of events.slice(0, 2)) response.write(`id: e1.${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
      },
    ];
    const source = asking();
    const errors: Event[] = [];
    source.addEventListener("error", (event: Event) => errors.push(event));
    await new Promise<void>((resolve) => source.addEventListener("token", () => resolve()));
    source.close();
    await expect(source.text()).rejects.toMatchObject({ message: "It was closed." });
    expect([errors.length, asked.length]).toEqual([0, 1]);
  });
});
