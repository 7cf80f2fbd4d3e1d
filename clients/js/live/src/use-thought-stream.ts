/** One prompt, and the model's thoughts before its answer. */

import { useCompletion, withModel, type Asking, type AskOptions } from "./use-completion";

export interface UseThoughtStreamOptions extends AskOptions {
  /** False asks for the answer alone (default true). */
  showThoughts?: boolean;
}

export interface ThoughtStream extends Asking {
  /** By step; the last one grows. */
  thoughts: string[];
  answer: string;
  isThinking: boolean;
}

const NONE: readonly string[] = [];

export function useThoughtStream({
  url,
  model,
  showThoughts = true,
}: UseThoughtStreamOptions = {}): ThoughtStream {
  const { store, state } = useCompletion(url, withModel(model, { showThoughts }));
  const { content, isStreaming, stream, error } = state;
  const { start, stop, retry } = store;
  const thoughts = showThoughts ? (stream?.thoughts ?? NONE) : NONE;
  return {
    thoughts: thoughts as string[],
    answer: content,
    isThinking: isStreaming && stream?.phase === "thinking",
    isStreaming,
    error,
    start,
    stop,
    retry,
  };
}
