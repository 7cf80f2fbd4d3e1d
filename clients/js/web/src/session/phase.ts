/** What a running answer is at, in a few words. */

import type { MessageView } from "./view";

export function phaseText({ message, stream }: MessageView): string {
  if (!stream || stream.status === "queued" || stream.phase === "queued") {
    const before = stream?.queuePosition ?? 0;
    return before > 0 ? `In the queue, ${before} before it` : "In the queue";
  }
  if (stream.status === "recovering") return "Recovering";
  if (stream.status === "waiting") return "Waiting for somebody";
  if (stream.resetReason !== null && stream.content === "") return "Starting again";
  if (stream.phase === "thinking") return "Thinking";
  if (stream.phase === "tool") return "Using a tool";
  if (stream.content !== "") return "Writing";
  return message.status === "queued" ? "In the queue" : "Waiting for the model";
}

/** "42 tokens/s", or nothing while it cannot be told. */
export function speedText(tokensPerSecond: number | null | undefined): string {
  if (!tokensPerSecond || !Number.isFinite(tokensPerSecond)) return "";
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)} tokens/s`;
}

export function tokensText(count: number): string {
  return `${count} ${count === 1 ? "token" : "tokens"}`;
}
