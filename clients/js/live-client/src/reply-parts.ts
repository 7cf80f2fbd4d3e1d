/** What a reply holds besides its text, in the form that `Message.parts` has everywhere. */

import type { StreamFailure, ToolCallState } from "./protocol.generated";

export type MessagePart = Record<string, unknown>;

/**
 * A `reasoning` part for each thought, then for each tool call a `toolCall` and, where it is over, its `toolResult`;
 * last, where the reply failed, an `error`.
 */
export function replyParts(
  thoughts: readonly string[],
  toolCalls: readonly ToolCallState[],
  failure: StreamFailure | null = null,
): MessagePart[] {
  const parts: MessagePart[] = thoughts.filter(Boolean).map((text) => ({ type: "reasoning", text }));
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
