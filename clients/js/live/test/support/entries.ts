/** What a model writes besides text, as a log has it. */

import type { Entry } from "../../../live-client/test/support";

export const thought = (stream: string, step: number, data: string): Entry => ({
  type: "thought",
  stream,
  step,
  data,
  n: 1,
});

export const call = (stream: string, fields: Partial<Extract<Entry, { type: "tool_call" }>> = {}): Entry => ({
  type: "tool_call",
  stream,
  call: "c1",
  tool: "search_web",
  args: { query: "rivers" },
  status: "awaiting_client",
  ...fields,
});

export const result = (stream: string, fields: Partial<Extract<Entry, { type: "tool_result" }>>): Entry => ({
  type: "tool_result",
  stream,
  call: "c1",
  ...fields,
});

export const failure = (stream: string): Entry => ({
  type: "error",
  stream,
  code: "node_error",
  message: "The model's server failed. Ask again.",
  retryable: true,
  partial: false,
  usage: null,
});
