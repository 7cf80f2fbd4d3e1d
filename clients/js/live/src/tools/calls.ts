/** Tool calls in this language's names. Pure. */

import type { ToolCallState, ToolStatus } from "@hanzo/live-client";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Empty until they are whole. */
  readonly arguments: Record<string, unknown>;
  /** What runs on this page is `running`, as what runs on the server is. */
  readonly status: ToolStatus;
}

export interface ToolResult {
  readonly id: string;
  readonly name: string;
  /** What the tool gave, as text; JSON where it is none, and empty where it failed. */
  readonly output: string;
  /** The same as it was given. */
  readonly value: unknown;
  /** Why it failed, or null. */
  readonly error: string | null;
}

/** `runs` says whether this page runs a tool. */
export function toolCall(call: ToolCallState, runs: (name: string) => boolean): ToolCall {
  const runsHere = call.status === "awaiting_client" && runs(call.tool);
  return {
    id: call.call,
    name: call.tool,
    arguments: call.args ?? {},
    status: runsHere ? "running" : call.status,
  };
}

/** Null before the call has ended. */
export function toolResult({ call, tool, status, result, error }: ToolCallState): ToolResult | null {
  if (status !== "complete" && status !== "failed" && status !== "denied") return null;
  return { id: call, name: tool, output: textOf(result), value: result ?? null, error };
}

function textOf(result: unknown): string {
  if (result === null || result === undefined) return "";
  return typeof result === "string" ? result : JSON.stringify(result);
}
