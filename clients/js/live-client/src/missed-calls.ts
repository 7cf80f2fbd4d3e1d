/** What a reader has not heard of a tool call, told as the events that it missed. Pure. */

import type { LogEvent, ToolCallState } from "./protocol.generated";

type Of<T extends LogEvent["type"]> = Omit<Extract<LogEvent, { type: T }>, "log" | "seq" | "ts" | "stream">;

/** The events that lead from the call as it was known to what it is `now`; a result that was told is not told again. */
export function* missedOfCall(
  before: ToolCallState | undefined,
  now: ToolCallState,
): Generator<Of<"tool_call"> | Of<"tool_result">> {
  if (before && isSettled(before)) return;
  const { result, error, duration_ms, args_text, ...told } = now;
  // The result says how it ended.
  const status = told.status === "complete" || told.status === "failed" ? "running" : told.status;
  const args_delta = args_text.slice(before?.args_text.length ?? 0) || null;
  if (before?.status !== status || args_delta !== null || (before.args === null && told.args !== null))
    yield { ...told, type: "tool_call", status, args_delta };
  if (isSettled(now)) yield { type: "tool_result", call: now.call, result, error, duration_ms };
}

function isSettled({ status, error }: ToolCallState): boolean {
  return status === "complete" || error !== null;
}
