/** What a caller may say, in this language's names, and the wire's fields for it. */

import type { ReconnectOptions } from "./backoff";
import type { SocketLike } from "./environment";
import type { MetricsOptions } from "./metrics";
import type { ChatMessage } from "./protocol.generated";

export interface CacheOptions {
  enabled?: boolean;
  /** The only backend there is. */
  backend?: "redis";
  /** Seconds. */
  ttl?: number;
  semantic?: boolean;
  similarityThreshold?: number;
}

export interface McpOptions {
  enabled?: boolean;
  servers?: string[];
}

/** Options that a client sets for all its streams, and a call may override. */
export interface StreamDefaults {
  model?: string;
  preferLocal?: boolean;
  fallbackToCloud?: boolean;
  /** Must be a node that the operator configured. */
  localNodeUrl?: string;
  cache?: CacheOptions;
  mcp?: McpOptions;
  /** `auto`: what the server and its MCP servers offer. */
  tools?: "auto" | Record<string, unknown>[];
  /** Tokens after which a frame comes earlier than `flushInterval`. */
  bufferSize?: number;
  /** Least time between frames, in ms. */
  flushInterval?: number;
  showThoughts?: boolean;
}

export interface HanzoLiveClientOptions extends StreamDefaults {
  /** Default: the page's origin, else `ws://localhost:3001`. */
  url?: string | undefined;
  /** An API token or a ticket. In the browser the session cookie is enough. */
  token?: string;
  /** Asked before each connection: for tokens that expire. */
  getToken?: () => string | null | Promise<string | null>;
  reconnect?: ReconnectOptions;
  /** Iteration of streams continues through cuts of the connection (default true). */
  resumeOnReconnect?: boolean;
  /** All streams over one socket (default true); false opens one for each. */
  multiplexing?: boolean;
  /** Counts for the server's `/metrics` (default off). */
  metrics?: MetricsOptions;
  /** Instead of the global class. Node before 22 has none, and uses the package `ws` where that is installed. */
  WebSocket?: new (url: string) => SocketLike;
}

/** Settings of one answer, as `stream.start` and `message.send` share them. */
export interface AnswerOptions extends StreamDefaults {
  /** Idempotency: the same key starts once. Made up where absent. */
  key?: string;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  stop?: string | string[];
  seed?: number;
  toolChoice?: "auto" | "none" | "required" | Record<string, unknown>;
  streamToolCalls?: boolean;
  /** Refused with `LOCAL_ONLY` rather than sent to a cloud node. */
  forceLocal?: boolean;
  overlap?: "queue" | "reject" | "interrupt";
}

export interface StreamRequest extends AnswerOptions {
  messages?: ChatMessage[];
  /** The prompt alone, instead of `messages`. */
  content?: string;
  /** Id or slug of the session to answer in. */
  session?: string;
  /** Iterate events instead of strings. */
  events?: boolean;
  /** Stops the answer when it aborts; reading it throws the signal's reason. */
  signal?: AbortSignal;
}

export interface SendRequest extends AnswerOptions {
  session: string;
  content: string;
  /** False posts without asking the model. */
  reply?: boolean;
}

const ANSWER_FIELDS = [
  "model",
  "key",
  "maxTokens",
  "temperature",
  "topP",
  "stop",
  "seed",
  "tools",
  "toolChoice",
  "streamToolCalls",
  "showThoughts",
  "overlap",
  "mcp",
  "bufferSize",
] as const satisfies (keyof AnswerOptions)[];

const ROUTE_FIELDS = [
  "preferLocal",
  "forceLocal",
  "fallbackToCloud",
  "localNodeUrl",
] as const satisfies (keyof AnswerOptions)[];

const CACHE_FIELDS = [
  "enabled",
  "backend",
  "ttl",
  "semantic",
  "similarityThreshold",
] as const satisfies (keyof CacheOptions)[];

/** The wire's fields of one answer. Undefined ones are left out by JSON. */
export function answerFields(options: AnswerOptions): Record<string, unknown> {
  const route = onWire(options, ROUTE_FIELDS);
  return {
    ...onWire(options, ANSWER_FIELDS),
    flush_ms: options.flushInterval,
    route: Object.values(route).some((value) => value !== undefined) ? route : undefined,
    cache: options.cache && onWire(options.cache, CACHE_FIELDS),
  };
}

/** The fields under the wire's names: `maxTokens` is `max_tokens` there. */
function onWire<T extends object>(of: T, names: readonly (keyof T & string)[]): Record<string, unknown> {
  return Object.fromEntries(
    names.map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), of[name]]),
  );
}

const DEFAULTS = [
  "model",
  "preferLocal",
  "fallbackToCloud",
  "localNodeUrl",
  "cache",
  "mcp",
  "tools",
  "bufferSize",
  "flushInterval",
  "showThoughts",
] as const satisfies (keyof StreamDefaults)[];

/** The client's defaults under what the call says; absent fields of the call do not hide a default. */
export function withDefaults<T extends AnswerOptions>(defaults: StreamDefaults, call: T): T {
  const base = Object.fromEntries(DEFAULTS.map((name) => [name, defaults[name]]));
  const given = Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined));
  return { ...base, ...given } as T;
}
