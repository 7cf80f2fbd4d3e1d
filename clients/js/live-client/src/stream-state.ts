/**
 * What is known of one stream, and how each event changes it. Pure: the same events give the same state, wherever
 * they come from. Shared by `SessionStore` and `LiveStream`.
 */

import type {
  FinishReason,
  LogEvent,
  Message,
  Phase,
  SnapshotStream,
  StreamFailure,
  StreamStatus,
  ToolCallState,
  ToolProgress,
  Usage,
  User,
} from "./protocol.generated";

export interface StreamState {
  readonly id: string;
  /** Id of the reply that it writes; null outside a session. */
  readonly message: string | null;
  readonly status: StreamStatus;
  /** What a running stream is at, where the server said. */
  readonly phase: Phase | null;
  readonly queuePosition: number | null;
  readonly content: string;
  readonly thoughts: readonly string[];
  /** How long it thought, in ms; null where its beginning was not seen, until it ends. */
  readonly thoughtMs: number | null;
  /** The same by step, as the server measured it; empty until it ends. */
  readonly thoughtsMs: readonly number[];
  readonly toolCalls: readonly ToolCallState[];
  /** How far running tools say they are; of those that do. */
  readonly toolProgress: readonly ToolProgress[];
  readonly model: string | null;
  readonly requestedModel: string | null;
  readonly node: "local" | "cloud" | null;
  readonly user: User | null;
  readonly stoppedBy: User | null;
  /** How the answer was found in the cache; null where a model wrote it now. */
  readonly cached: "exact" | "semantic" | null;
  readonly tokens: number;
  /** Tokens expected in all, where known. */
  readonly total: number | null;
  readonly percent: number | null;
  readonly etaS: number | null;
  readonly tokensPerSecond: number | null;
  readonly durationMs: number | null;
  readonly usage: Usage | null;
  readonly finishReason: FinishReason | null;
  readonly error: StreamFailure | null;
  /** Why it began again, if it did. */
  readonly resetReason: string | null;
  /** Server time (ms) of the first thought and of the first token that were seen here. */
  readonly thinkingSince: number | null;
  readonly answeringSince: number | null;
  /** Tokens seen since `answeringSince`, for the speed. */
  readonly counted: number;
}

const BLANK: Omit<StreamState, "id"> = {
  message: null,
  status: "queued",
  phase: null,
  queuePosition: null,
  content: "",
  thoughts: [],
  thoughtMs: null,
  thoughtsMs: [],
  toolCalls: [],
  toolProgress: [],
  model: null,
  requestedModel: null,
  node: null,
  user: null,
  stoppedBy: null,
  cached: null,
  tokens: 0,
  total: null,
  percent: null,
  etaS: null,
  tokensPerSecond: null,
  durationMs: null,
  usage: null,
  finishReason: null,
  error: null,
  resetReason: null,
  thinkingSince: null,
  answeringSince: null,
  counted: 0,
};

/** Of a stream, or of the message that it writes. */
export function isOver(status: StreamStatus | Message["status"]): status is "complete" | "stopped" | "failed" {
  return status === "complete" || status === "stopped" || status === "failed";
}

export function newStream(id: string): StreamState {
  return { id, ...BLANK };
}

/** The state that a snapshot tells; `before` adds what snapshots leave out (model, who asked). */
export function streamFromSnapshot(snapshot: SnapshotStream, before?: StreamState): StreamState {
  const { model, requestedModel, node, user, tokensPerSecond, thinkingSince, thoughtMs, thoughtsMs } =
    before ?? BLANK;
  return {
    ...newStream(snapshot.id),
    model,
    requestedModel,
    node,
    user,
    tokensPerSecond,
    thinkingSince,
    thoughtMs,
    thoughtsMs,
    message: snapshot.message,
    status: snapshot.status,
    content: snapshot.content,
    thoughts: snapshot.thoughts,
    toolCalls: snapshot.tool_calls,
    usage: snapshot.usage,
    finishReason: snapshot.finish_reason,
    error: snapshot.error,
  };
}

/** Events that belong to one stream. */
export type OfStream = Extract<LogEvent, { stream: string }>;

export function isOfStream(event: LogEvent): event is OfStream {
  return "stream" in event && typeof event.stream === "string";
}

/** The state after `event`. Events after the terminal one change nothing; unknown ones neither. */
export function foldStream(state: StreamState, event: OfStream): StreamState {
  if (isOver(state.status)) return state;
  switch (event.type) {
    case "stream_start":
      return {
        ...state,
        status: "running",
        phase: state.phase === "queued" ? null : state.phase,
        queuePosition: null,
        message: event.message ?? state.message,
        model: event.model,
        requestedModel: event.requested_model ?? null,
        node: event.node,
        user: event.user ?? state.user,
        cached: event.cached,
      };
    case "token":
      return foldToken(state, event);
    case "thought":
      return foldThought(state, event);
    case "tool_call": {
      const toolCalls = foldToolCall(state.toolCalls, event);
      return { ...state, status: toolCalls.some(waits) ? "waiting" : "running", phase: "tool", toolCalls };
    }
    case "tool_result":
      return {
        ...state,
        toolCalls: foldToolResult(state.toolCalls, event),
        toolProgress: state.toolProgress.filter(({ call }) => call !== event.call),
      };
    case "progress":
      // Told a moment too late: it has begun.
      if (event.phase === "queued" && state.status !== "queued") return state;
      return {
        ...state,
        phase: event.phase,
        queuePosition: event.queue_position ?? null,
        // Told a moment too late: that call is over.
        toolProgress: (event.tools ?? []).filter(({ call }) => isRunning(state.toolCalls, call)),
        tokens: Math.max(state.tokens, event.tokens),
        total: event.total ?? null,
        // Never backwards, also where another worker goes on with it.
        percent: event.percent == null ? state.percent : Math.max(state.percent ?? 0, event.percent),
        etaS: event.eta_s ?? null,
        tokensPerSecond: event.tokens_per_second ?? state.tokensPerSecond,
      };
    case "reset":
      return {
        ...newStream(state.id),
        message: state.message,
        model: state.model,
        requestedModel: state.requestedModel,
        node: state.node,
        user: state.user,
        status: "running",
        resetReason: event.reason,
      };
    case "complete":
      return {
        ...state,
        ...measured(event.thoughts_ms),
        status: event.finish_reason === "stopped" ? "stopped" : "complete",
        phase: null,
        message: event.message ?? state.message,
        finishReason: event.finish_reason,
        stoppedBy: event.stopped_by ?? null,
        cached: event.cached,
        usage: event.usage,
        tokens: event.usage.completion_tokens,
        percent: event.finish_reason === "stopped" ? state.percent : 100,
        etaS: null,
        durationMs: event.duration_ms,
        tokensPerSecond: event.tokens_per_second ?? state.tokensPerSecond,
      };
    case "error":
      return {
        ...state,
        ...measured(event.thoughts_ms),
        status: "failed",
        phase: null,
        ...(event.partial ? {} : { content: "", thoughts: [], toolCalls: [] }),
        usage: event.usage ?? null,
        error: { code: event.code, message: event.message, retryable: event.retryable },
      };
    default:
      return state;
  }
}

type Of<T extends LogEvent["type"]> = Extract<LogEvent, { type: T }>;

function foldToken(state: StreamState, event: Of<"token">): StreamState {
  const answeringSince = state.answeringSince ?? event.ts;
  // The first frame starts the clock: its tokens came before it.
  const counted = state.answeringSince === null ? 0 : state.counted + event.n;
  const elapsed = event.ts - answeringSince;
  const thoughtMs =
    state.thoughtMs ?? (state.thinkingSince === null ? null : Math.max(0, event.ts - state.thinkingSince));
  return {
    ...state,
    status: "running",
    phase: "answering",
    content: state.content + event.data,
    tokens: state.tokens + event.n,
    answeringSince,
    counted,
    thoughtMs,
    tokensPerSecond: elapsed >= 250 ? (counted * 1000) / elapsed : state.tokensPerSecond,
  };
}

function foldThought(state: StreamState, event: Of<"thought">): StreamState {
  const thoughts = [...state.thoughts];
  while (thoughts.length <= event.step) thoughts.push("");
  thoughts[event.step] = (thoughts[event.step] ?? "") + event.data;
  return {
    ...state,
    status: "running",
    phase: "thinking",
    thoughts,
    thinkingSince: state.thinkingSince ?? (state.thoughts.length === 0 ? event.ts : null),
  };
}

/** How long it thought, as the server says: clients that came later know it as well then. */
function measured(ms: readonly number[] | null | undefined): Partial<StreamState> {
  if (!ms || ms.length === 0) return {};
  return { thoughtsMs: ms, thoughtMs: ms.reduce((sum, each) => sum + each, 0) };
}

function isRunning(calls: readonly ToolCallState[], id: string): boolean {
  return calls.some(({ call, status }) => call === id && status === "running");
}

function waits({ status }: ToolCallState): boolean {
  return status === "awaiting_approval" || status === "awaiting_client";
}

/** The calls with the one of id `call` changed; it is added if it was not there. */
export function withCall(
  calls: readonly ToolCallState[],
  call: string,
  change: (before: ToolCallState) => ToolCallState,
): ToolCallState[] {
  if (calls.some((each) => each.call === call))
    return calls.map((each) => (each.call === call ? change(each) : each));
  const fresh: ToolCallState = {
    call,
    tool: "",
    args: null,
    args_text: "",
    status: "running",
    user: null,
    result: null,
    error: null,
    duration_ms: null,
  };
  return [...calls, change(fresh)];
}

function foldToolCall(calls: readonly ToolCallState[], event: Of<"tool_call">): ToolCallState[] {
  return withCall(calls, event.call, (before) => ({
    ...before,
    tool: event.tool,
    status: event.status,
    args: event.args ?? before.args,
    args_text: event.args == null ? before.args_text + (event.args_delta ?? "") : "",
    user: event.user ?? before.user,
  }));
}

function foldToolResult(calls: readonly ToolCallState[], event: Of<"tool_result">): ToolCallState[] {
  const error = event.error ?? null;
  return withCall(calls, event.call, (before) => ({
    ...before,
    // A denied call stays denied: its error tells the model so.
    status: before.status === "denied" ? "denied" : error === null ? "complete" : "failed",
    result: event.result ?? null,
    error,
    duration_ms: event.duration_ms ?? null,
  }));
}
