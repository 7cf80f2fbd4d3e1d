/** One prompt, one answer. */

import type { HanzoLiveClient, LiveError, StreamRequest } from "@hanzo/live-client";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { CompletionStore, type CompletionListeners, type CompletionState } from "./completion-store";
import { useClient } from "./provider";

export interface UseStreamingCompletionOptions extends CompletionListeners {
  url?: string;
  model?: string;
}

export interface StreamingCompletion {
  content: string;
  isStreaming: boolean;
  /** 0 until it can be told. */
  tokensPerSecond: number;
  error: LiveError | null;
  /** Asks: a prompt, or a whole request. */
  start: (input: string | StreamRequest) => Promise<void>;
  stop: () => Promise<void>;
  /** Asks the last question again. */
  retry: () => Promise<void>;
}

/** A store of this component, which ends its answer when the component goes. */
export function useCompletionStore(client: HanzoLiveClient, listeners: CompletionListeners): CompletionStore {
  const store = useMemo(() => new CompletionStore(client), [client]);
  useEffect(() => store.setListeners(listeners));
  useEffect(() => () => void store.halt(), [store]);
  return store;
}

export function useCompletionState(store: CompletionStore): CompletionState {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}

export function useStreamingCompletion(options: UseStreamingCompletionOptions = {}): StreamingCompletion {
  const { url, model } = options;
  const store = useCompletionStore(useClient(url), options);
  const { content, isStreaming, tokensPerSecond, error } = useCompletionState(store);
  const start = useCallback(
    (input: string | StreamRequest) =>
      store.start({ model, ...(typeof input === "string" ? { content: input } : input) }),
    [store, model],
  );
  const retry = useCallback(() => store.retry(), [store]);
  return { content, isStreaming, tokensPerSecond, error, start, stop: store.stop, retry };
}
