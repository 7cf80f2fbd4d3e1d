/** A socket without a server, which answers every question with the same scene: the gallery needs no machine behind it. */

import type { SocketLike } from "@hanzo/live-client";

const LOG = "stream:scene";
const EPOCH = "scene";
const SECOND = 1000;

const call = { call: "c1", tool: "search_web", args: { query: "length of the Danube" } };
const SCENE: readonly object[] = [
  { type: "stream_start", message: null, model: "llama-3-8b", requested_model: null, user: null, node: "local", cached: null },
  { type: "thought", step: 0, data: "They ask for the length of the Danube. I should look it up.", n: 14 },
  { type: "tool_call", ...call, status: "running" },
  { type: "tool_result", call: "c1", result: "Danube: 2,850 km, from the Black Forest to the Black Sea.", duration_ms: 320 },
  { type: "token", data: "The Danube is **2,850 km** long. Of Europe's rivers only the Volga is longer:\n\n", n: 20 },
  { type: "token", data: "| River | Length |\n|---|---|\n| Volga | 3,531 km |\n| Danube | 2,850 km |\n", n: 24 },
  {
    type: "complete",
    finish_reason: "stop",
    stopped_by: null,
    usage: { prompt_tokens: 9, completion_tokens: 58, total_tokens: 67, estimated: false },
    duration_ms: 2 * SECOND,
    first_token_ms: 40,
    tokens_per_second: 29,
    cached: null,
    similarity: null,
    message: null,
    thoughts_ms: [1400],
  },
];

const WELCOME = {
  type: "welcome",
  protocol: 1,
  connection: "scene",
  user: { id: null, name: "Somebody", avatar: null, anonymous: true },
  server: { version: "0.1.0" },
  limits: { max_frame_bytes: 1_048_576, max_streams: 32, max_subscriptions: 100, heartbeat_s: 25 },
};

export class PlayedSocket implements SocketLike {
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;

  constructor() {
    queueMicrotask(() => this.onopen?.({} as never));
  }

  send(data: string): void {
    const { id, type } = JSON.parse(data) as { id: number; type: string };
    if (type === "hello") this.give({ ...WELCOME, id });
    else if (type === "ping") this.give({ type: "pong", id });
    else if (type === "stream.start") {
      this.give({ type: "ok", id, stream: "scene", log: LOG, message: null, epoch: EPOCH, seq: 0 });
      SCENE.forEach((event, at) =>
        this.give({ log: LOG, seq: at + 1, ts: Date.now() + at * 200, stream: "scene", ...event }),
      );
    } else this.give({ type: "ok", id });
  }

  close(): void {
    this.onclose = null;
  }

  private give(frame: object): void {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(frame) } as never));
  }
}
