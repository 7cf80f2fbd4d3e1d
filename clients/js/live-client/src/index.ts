/** The public face of `@hanzo/live-client`. */

export { HanzoLiveClient, type ClientEvents, type Doing } from "./client";
export type { ConnectionState } from "./connection-state";
export type { ReconnectOptions } from "./backoff";
export { csrfToken } from "./csrf";
export { defaultEnvironment, type Environment, type SocketLike } from "./environment";
export { LiveError, type LiveErrorCode, type LiveErrorDetails, type WireErrorBody } from "./errors";
export { merged } from "./event-queue";
export { FrameScheduler } from "./frame-scheduler";
export { newKey } from "./key";
export { LiveStream } from "./live-stream";
export { LogPosition, type Verdict } from "./log-position";
export { EMPTY_LOG, foldLog, withMessages, type LogState } from "./log-state";
export type { MetricsOptions } from "./metrics";
export type {
  AnswerOptions,
  CacheOptions,
  HanzoLiveClientOptions,
  McpOptions,
  SendRequest,
  StreamDefaults,
  StreamRequest,
} from "./options";
export { rest, type RestAccess, type RestRequest } from "./rest";
export {
  HanzoLiveSSE,
  LiveEventSource,
  LiveSentEvent,
  type HanzoLiveSSEOptions,
} from "./sse";
export { SessionStore, type OutgoingMessage, type SessionState } from "./session-store";
export { foldStream, isOver, newStream, streamFromSnapshot, type StreamState } from "./stream-state";
export type { LogSink, SubscribeOptions } from "./subscription";
export { VERSION } from "./version";
export type * from "./protocol.generated";
