/** Runs the calls of one answer that wait for this client, each once, and tells what they gave. Framework-free. */

import { isOver, LiveError, type HanzoLiveClient, type StreamState, type ToolCallState } from "@hanzo/live-client";
import type { ClientTool } from "./client-tool";

type Outcome = { output: unknown } | { error: string };

export class ToolRunner {
  private tools: ReadonlyMap<string, ClientTool> = new Map();
  private readonly taken = new Set<string>();
  private stream: string | null = null;
  private abort = new AbortController();

  constructor(
    private readonly client: HanzoLiveClient,
    /** Hears of results that the server did not take. */
    private readonly failed: (reason: LiveError) => void,
  ) {}

  /** From now on, calls of these are run. */
  use(tools: readonly ClientTool[]): void {
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  /** Looks for calls that wait. */
  look(stream: StreamState | null): void {
    if (stream?.id !== this.stream) this.begin(stream?.id ?? null);
    if (!stream) return;
    if (isOver(stream.status)) this.abort.abort();
    else for (const call of stream.toolCalls) if (this.isOurs(call)) void this.run(stream.id, call);
  }

  /** Nobody looks any more. */
  stop(): void {
    this.begin(null);
  }

  private begin(stream: string | null): void {
    this.abort.abort();
    this.abort = new AbortController();
    this.taken.clear();
    this.stream = stream;
  }

  private isOurs({ call, status, args }: ToolCallState): boolean {
    return status === "awaiting_client" && args !== null && !this.taken.has(call);
  }

  private async run(stream: string, { call, tool, args }: ToolCallState): Promise<void> {
    this.taken.add(call);
    const { signal } = this.abort;
    const outcome = await this.outcomeOf(tool, args ?? {}, { call, signal });
    if (signal.aborted) return;
    try {
      await this.client.answerTool(stream, call, outcome);
    } catch (reason) {
      const error = LiveError.from(reason);
      // Another page of the same person was first, and its answer counts.
      if (error.code !== "CONFLICT") this.failed(error);
    }
  }

  private async outcomeOf(
    name: string,
    args: Record<string, unknown>,
    run: { call: string; signal: AbortSignal },
  ): Promise<Outcome> {
    const execute = this.tools.get(name)?.execute;
    if (!execute) {
      return {
        error: `Nothing runs the tool ${name}: give it \`execute\` on the page, or register it on the server.`,
      };
    }
    try {
      return { output: (await execute(args, run)) ?? null };
    } catch (reason) {
      return { error: LiveError.from(reason).message || `The tool ${name} failed.` };
    }
  }
}
