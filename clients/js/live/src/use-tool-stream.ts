/** A conversation in which the model calls tools: those of this page, of the server and of MCP servers. */

import { isOver, type StreamRequest } from "@hanzo/live-client";
import { useCallback, useEffect, useMemo } from "react";
import type { ConversationMessage } from "./conversation-store";
import { toolCall, toolResult, type ToolCall, type ToolResult } from "./tools/calls";
import { wireTool, type ClientTool } from "./tools/client-tool";
import { ToolRunner } from "./tools/runner";
import { withModel, type Asking, type AskOptions } from "./use-completion";
import { useConversation } from "./use-conversation";

export interface UseToolStreamOptions extends AskOptions {
  /** Tools by name; `auto`: what the server and its MCP servers offer. None where absent. */
  tools?: "auto" | readonly ClientTool[];
  /** Ask for the model's thoughts as well; they are in the messages' `stream`. */
  showThoughts?: boolean;
}

export interface ToolStream extends Asking {
  messages: ConversationMessage[];
  /** Those of the answer that is being written, or was last, in the order in which they began. */
  toolCalls: ToolCall[];
  /** Of those that have ended. */
  toolResults: ToolResult[];
  /** A tool runs now, here or on the server. */
  isExecuting: boolean;
  /** Says the next thing. Resolves when the answer has ended; never rejects. */
  sendMessage: (content: string) => Promise<void>;
  /** Lets a call run that is `awaiting_approval`, or denies it. Rejects with a LiveError. */
  approve: (call: string, approved: boolean, reason?: string) => Promise<void>;
}

const NO_TOOLS: readonly ClientTool[] = [];

export function useToolStream({ url, model, tools, showThoughts }: UseToolStreamOptions = {}): ToolStream {
  const { store, state } = useConversation(url, withModel(model, requestOf(tools, showThoughts)));
  const { completion, start, send: sendMessage } = store;
  const ours = typeof tools === "object" ? tools : NO_TOOLS;

  const runner = useMemo(
    () => new ToolRunner(completion.client, (error) => completion.fail(error)),
    [completion],
  );
  useEffect(() => runner.use(ours));
  useEffect(() => {
    const leave = completion.subscribe(() => runner.look(completion.getSnapshot().stream));
    return () => {
      leave();
      runner.stop();
    };
  }, [completion, runner]);

  const { messages, stream, isStreaming, error } = state;
  const isRunning = stream !== null && !isOver(stream.status);
  const all = stream?.toolCalls ?? [];
  const toolCalls = all.map((call) => toolCall(call, (name) => isRunning && runs(ours, name)));
  const toolResults = all.flatMap((call) => toolResult(call) ?? []);
  const id = stream?.id;
  const approve = useCallback(
    async (call: string, approved: boolean, reason?: string) => {
      if (id !== undefined) await completion.client.approveTool(id, call, approved, reason);
    },
    [completion, id],
  );
  return {
    messages: messages as ConversationMessage[],
    toolCalls,
    toolResults,
    isExecuting: isRunning && toolCalls.some(({ status }) => status === "running"),
    isStreaming,
    error,
    sendMessage,
    start,
    stop: completion.stop,
    retry: completion.retry,
    approve,
  };
}

function requestOf(tools: UseToolStreamOptions["tools"], showThoughts: boolean | undefined): StreamRequest {
  return {
    ...(showThoughts === undefined ? {} : { showThoughts }),
    ...(tools === undefined ? {} : { tools: tools === "auto" ? "auto" : tools.map(wireTool) }),
  };
}

function runs(tools: readonly ClientTool[], name: string): boolean {
  return tools.some((tool) => tool.name === name && tool.execute !== undefined);
}
