/** One prompt, one answer. */

import type { CompletionListeners } from "./completion-store";
import { useCompletion, withModel, type Asking, type AskOptions } from "./use-completion";

export interface UseStreamingCompletionOptions extends AskOptions, CompletionListeners {}

export interface StreamingCompletion extends Asking {
  content: string;
  /** 0 until it can be told. */
  tokensPerSecond: number;
}

export function useStreamingCompletion(options: UseStreamingCompletionOptions = {}): StreamingCompletion {
  const { url, model } = options;
  const { store, state } = useCompletion(url, withModel(model), options);
  const { content, isStreaming, tokensPerSecond, error } = state;
  const { start, stop, retry } = store;
  return { content, isStreaming, tokensPerSecond, error, start, stop, retry };
}
