/** What a running answer is at, in a few words. */

import type { StreamState } from "@hanzo/live-client";
import type { MessageView } from "./view";

export function phaseText({ message, stream }: MessageView): string {
  if (!stream || stream.status === "queued" || stream.phase === "queued") {
    const before = stream?.queuePosition ?? 0;
    return before > 0 ? `In the queue, ${before} before it` : "In the queue";
  }
  if (stream.status === "recovering" || stream.phase === "recovering") return "Recovering";
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

/** "120 of about 200 tokens" once it is known how long such answers are, "at most" where only the limit is. */
export function amountText(stream: StreamState | null): string {
  const tokens = stream?.tokens ?? 0;
  if (!stream || tokens === 0) return "";
  if (stream.total === null || stream.total <= tokens) return tokensText(tokens);
  const word = stream.percent === null ? "at most" : "about";
  return `${tokens} of ${word} ${tokensText(stream.total)}`;
}

/** "about 40 s left", in steps that do not flicker; nothing where no end is in sight. */
export function leftText(etaS: number | null | undefined): string {
  if (etaS == null || !Number.isFinite(etaS)) return "";
  if (etaS < 90) return `about ${etaS < 10 ? Math.max(1, Math.round(etaS)) : Math.round(etaS / 5) * 5} s left`;
  return `about ${Math.round(etaS / 60)} min left`;
}
