/** What a client counts for the server's `/metrics`: what only it can see. Posted now and then; it never disturbs. */

import type { ClientEvents } from "./client";
import { csrfHeader } from "./csrf";
import type { Emitter } from "./emitter";
import { restUrl } from "./url";

export interface MetricsOptions {
  enabled?: boolean;
  /** Counts go to the server itself, whatever this says: one on another origin is not contacted. */
  endpoint?: string;
}

/** The body of `POST /v1/metrics/client`. */
interface Counts {
  connections: number;
  reconnects: number;
  complete: number;
  failed: number;
  cache_hits: number;
  tokens: number;
  errors: Record<string, number>;
  latency_ms: number[];
  tokens_per_second: number[];
}

type Counter = "connections" | "reconnects" | "complete" | "failed" | "cache_hits" | "tokens";

const INTERVAL_MS = 30_000;
/** The server takes no more at once. */
const MOST_SAMPLES = 200;

export class Metrics {
  #counts = nothing();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #url: string | undefined;
  readonly #credential: () => Promise<string | null | undefined>;

  constructor(
    url: string | undefined,
    credential: () => Promise<string | null | undefined>,
    endpoint: string | undefined,
  ) {
    this.#url = url;
    this.#credential = credential;
    const server = restUrl("", url);
    if (endpoint !== undefined && new URL(endpoint, server).origin !== new URL(server).origin) {
      console.warn(
        `Hanzo Live: ${endpoint} is not contacted. Counts go to the server, where Prometheus reads them at /metrics.`,
      );
    }
  }

  /** Counts what `events` tell of. */
  listen(events: Emitter<ClientEvents>): void {
    events.on("connection", ({ status }) => {
      if (status === "live") this.#count({ connections: 1 });
      else if (status === "idle") this.#send();
    });
    events.on("reconnect", () => this.#count({ reconnects: 1 }));
    events.on("stream_complete", ({ totalTokens, tokensPerSecond, firstToken, cached }) => {
      this.#count({ complete: 1, tokens: totalTokens, cache_hits: cached === null ? 0 : 1 });
      sample(this.#counts.latency_ms, firstToken);
      sample(this.#counts.tokens_per_second, tokensPerSecond);
    });
    events.on("stream_error", ({ error }) => {
      this.#count({ failed: 1 });
      const code = error.code.toLowerCase();
      this.#counts.errors[code] = (this.#counts.errors[code] ?? 0) + 1;
    });
    events.on("leaving", () => this.#send());
  }

  #count(more: Partial<Record<Counter, number>>): void {
    for (const [name, number] of Object.entries(more)) this.#counts[name as Counter] += number;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#send(), INTERVAL_MS);
    // A program that is done does not wait for this.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** What cannot be sent is let go: figures are not worth a second try. */
  #send(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const body = JSON.stringify(this.#counts);
    this.#counts = nothing();
    void this.#post(body).catch(() => undefined);
  }

  async #post(body: string): Promise<void> {
    const token = await this.#credential();
    const url = restUrl("metrics/client", this.#url);
    const who = token ? { Authorization: `Bearer ${token}` } : csrfHeader(url);
    const headers = { "Content-Type": "application/json", ...who };
    // `keepalive`: it goes out though the page is being left.
    await fetch(url, { method: "POST", keepalive: true, headers, body });
  }
}

function sample(list: number[], value: number | null): void {
  if (value !== null && value > 0 && list.length < MOST_SAMPLES) list.push(Math.round(value));
}

function nothing(): Counts {
  return {
    connections: 0,
    reconnects: 0,
    complete: 0,
    failed: 0,
    cache_hits: 0,
    tokens: 0,
    errors: {},
    latency_ms: [],
    tokens_per_second: [],
  };
}
