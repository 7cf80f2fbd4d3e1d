/** What an answer holds besides its text, from its stream while that is known, else from the saved message. */

import type { StreamFailure, ToolCallState } from "@hanzo/live-client";
import type { MessageView } from "./view";

export interface AnswerParts {
  thoughts: readonly string[];
  /** How long it thought in all, in ms; null where nobody knows. */
  thoughtMs: number | null;
  toolCalls: readonly ToolCallState[];
}

export function partsOf({ message, stream }: MessageView): AnswerParts {
  if (stream && (stream.thoughts.length > 0 || stream.toolCalls.length > 0)) {
    return { thoughts: stream.thoughts.filter(Boolean), thoughtMs: stream.thoughtMs, toolCalls: stream.toolCalls };
  }
  const thoughts: string[] = [];
  let thoughtMs: number | null = null;
  const calls = new Map<string, ToolCallState>();
  for (const part of message.parts) {
    if (part["type"] === "reasoning" && typeof part["text"] === "string") {
      thoughts.push(part["text"]);
      if (typeof part["duration_ms"] === "number") thoughtMs = (thoughtMs ?? 0) + part["duration_ms"];
    } else if (part["type"] === "toolCall" && typeof part["id"] === "string")
      calls.set(part["id"], callOf(part, part["id"]));
    else if (part["type"] === "toolResult" && typeof part["id"] === "string") {
      const call = calls.get(part["id"]);
      if (call) calls.set(part["id"], { ...call, ...resultOf(part) });
    }
  }
  return { thoughts, thoughtMs, toolCalls: [...calls.values()] };
}

/** Why an answer failed; null where it did not, or where nobody wrote it down. */
export function failureOf({ message, stream }: MessageView): StreamFailure | null {
  if (stream?.error) return stream.error;
  const part = message.parts.findLast(({ type }) => type === "error");
  if (!part || typeof part["message"] !== "string") return null;
  return {
    code: part["code"] as StreamFailure["code"],
    message: part["message"],
    retryable: part["retryable"] === true,
  };
}

function callOf(part: Record<string, unknown>, call: string): ToolCallState {
  return {
    call,
    tool: typeof part["name"] === "string" ? part["name"] : "tool",
    args: (part["args"] ?? null) as ToolCallState["args"],
    args_text: "",
    // Until its result is read: a saved call without one was never answered.
    status: "awaiting_client",
    user: null,
    result: null,
    error: null,
    duration_ms: null,
  };
}

function resultOf(part: Record<string, unknown>): Pick<ToolCallState, "status" | "result" | "error"> {
  return {
    status: (part["status"] ?? "complete") as ToolCallState["status"],
    result: part["result"] ?? null,
    error: typeof part["error"] === "string" ? part["error"] : null,
  };
}
