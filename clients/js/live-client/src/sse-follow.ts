/** One answer over server-sent events, through cuts: started once, then read on from the last event had. */

import { RECONNECT_DEFAULTS, reconnectDelay, type ReconnectOptions } from "./backoff";
import { LiveError } from "./errors";
import type { LiveStream } from "./live-stream";
import type { SseTransport } from "./sse-transport";
import type { LogEvent, StreamEvent } from "./protocol.generated";

export interface FollowOptions {
  /** The body of `POST /v1/streams`, with a `key`: it may be sent more than once. */
  body: Record<string, unknown>;
  reconnect: ReconnectOptions;
  signal: AbortSignal;
}

/** Feeds `live` until it is over, `signal` aborts, or attempts are spent. Never rejects. */
export async function follow(
  live: LiveStream<string | StreamEvent>,
  transport: SseTransport,
  { body, reconnect, signal }: FollowOptions,
): Promise<void> {
  const reconnecting = { ...RECONNECT_DEFAULTS, ...reconnect };
  let lastId = "";
  let failures = 0;
  while (!live.isOver && !signal.aborted) {
    let failure = new LiveError("DISCONNECTED", "The answer was cut off.", { retryable: true });
    try {
      const response = await open(live, transport, body, lastId);
      for await (const sent of transport.events(response)) {
        failures = 0;
        if (sent.id) lastId = sent.id;
        if (give(live, JSON.parse(sent.data) as LogEvent)) return;
      }
    } catch (reason) {
      failure = LiveError.from(reason);
    }
    failures += 1;
    if (!failure.retryable || !reconnecting.enabled || failures > reconnecting.maxAttempts) {
      live.fail(failure);
    } else {
      const delay = (failure.retryAfter ?? 0) * 1000 + reconnectDelay(failures, reconnecting, Math.random);
      await pause(delay, signal);
    }
  }
}

async function open(
  live: LiveStream<string | StreamEvent>,
  transport: SseTransport,
  body: Record<string, unknown>,
  lastId: string,
): Promise<Response> {
  // A session's log has other streams' events as well: there, the server has to tell which one is ours.
  if (live.id === null && body["session"] === undefined) return transport.startAndRead(body);
  if (live.id === null) live.begin(await transport.start(body));
  return transport.read(live.id ?? "", lastId, body["show_thoughts"] === true);
}

/** True when it was the last event. */
function give(live: LiveStream<string | StreamEvent>, event: LogEvent): boolean {
  if (live.id === null) live.begin(event.log.replace(/^stream:/, ""));
  return live.take(event);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
