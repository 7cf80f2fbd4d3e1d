/** One prompt, and how far its answer is. */

import { isOver } from "@hanzo/live-client";
import { useCompletion, withModel, type Asking, type AskOptions } from "./use-completion";

export interface UseStreamingProgressOptions extends AskOptions {
  /** Most tokens to write. */
  maxTokens?: number;
}

export interface StreamingProgress extends Asking {
  content: string;
  /** 0 to 100; 0 while `indeterminate`. */
  progress: number;
  /** Seconds left; 0 while nobody can tell, and at the end. */
  estimatedTime: number;
  tokensGenerated: number;
  /** Tokens expected in all; `maxTokens` until the server expects fewer, and what there were at the end. */
  totalTokens: number;
  /** True until there is ground for `progress`: show that something happens, but not how far it is. */
  indeterminate: boolean;
}

export function useStreamingProgress({
  url,
  model,
  maxTokens,
}: UseStreamingProgressOptions = {}): StreamingProgress {
  const limit = maxTokens === undefined ? {} : { maxTokens };
  const { store, state } = useCompletion(url, withModel(model, limit));
  const { content, isStreaming, stream, error } = state;
  const { start, stop, retry } = store;
  const tokensGenerated = stream?.tokens ?? 0;
  const isEnded = stream !== null && isOver(stream.status);
  return {
    content,
    progress: stream?.percent ?? 0,
    estimatedTime: stream?.etaS ?? 0,
    tokensGenerated,
    totalTokens: isEnded ? tokensGenerated : (stream?.total ?? maxTokens ?? 0),
    indeterminate: (stream?.percent ?? null) === null,
    isStreaming,
    error,
    start,
    stop,
    retry,
  };
}
