/** What a reply holds besides its text, in the form that `Message.parts` has everywhere. */

import { withCall } from "./stream-state";
import type { StreamFailure, ToolCallState } from "./protocol.generated";

export type MessagePart = Record<string, unknown>;

/**
 * A `reasoning` part for each thought (with `duration_ms` where that is known), then for each tool call a `toolCall` and, where it is over, its `toolResult`;
 * last, where the reply failed, an `error`.
 */
export function replyParts(
  thoughts: readonly string[],
  toolCalls: readonly ToolCallState[],
  failure: StreamFailure | null = null,
  thoughtsMs: readonly number[] = [],
): MessagePart[] {
  const parts: MessagePart[] = [];
  thoughts.forEach((text, step) => {
    const duration = thoughtsMs[step];
    if (text) parts.push({ type: "reasoning", text, ...(duration === undefined ? {} : { duration_ms: duration }) });
  });
  for (const call of toolCalls) {
    parts.push({ type: "toolCall", id: call.call, name: call.tool, args: call.args });
    if (call.status === "complete" || call.status === "failed" || call.status === "denied") {
      parts.push({
        type: "toolResult",
        id: call.call,
        name: call.tool,
        status: call.status,
        result: call.result,
        error: call.error,
      });
    }
  }
  if (failure) {
    const { code, message, retryable } = failure;
    parts.push({ type: "error", code, message, retryable });
  }
  return parts;
}

/** The calls that `parts` tell of, over those that are `known`: how they ended, and those that are not known yet. */
export function callsOfParts(
  parts: readonly MessagePart[],
  known: readonly ToolCallState[],
): readonly ToolCallState[] {
  let calls = known;
  for (const { type, id, name, ...outcome } of parts) {
    const changes =
      type === "toolCall"
        ? { tool: name as string, args: outcome["args"] as ToolCallState["args"], args_text: "" }
        : (outcome as Pick<ToolCallState, "status" | "result" | "error">);
    if (type === "toolCall" || type === "toolResult")
      calls = withCall(calls, id as string, (before) => ({ ...before, ...changes }));
  }
  return calls;
}
