/** A store of one answer for each component: what the hooks that ask a model are thin over. */

import type { LiveError, StreamRequest } from "@hanzo/live-client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { CompletionStore, type CompletionListeners, type CompletionState, type Input } from "./completion-store";
import { useShared } from "./provider";

export interface AskOptions {
  /** Default: the provider's. */
  url?: string | undefined;
  model?: string | undefined;
}

/** What all hooks that ask a model have in common. */
export interface Asking {
  /** True from the question to the end of its answer. */
  isStreaming: boolean;
  error: LiveError | null;
  /** Asks: a prompt, or a whole request. Resolves when the answer has ended; never rejects. */
  start: (input: Input) => Promise<void>;
  /** Ends the answer; what was written stays. */
  stop: () => Promise<void>;
  /** Asks the last question again. */
  retry: () => Promise<void>;
}

/** Only what is said: an absent model is the client's default. */
export function withModel(model: string | undefined, request: StreamRequest = {}): StreamRequest {
  return model === undefined ? request : { model, ...request };
}

/** A store of this component, which ends its answer when the component goes. */
export function useCompletion(
  url: string | undefined,
  defaults: StreamRequest,
  { onToken, onComplete }: CompletionListeners = {},
): { store: CompletionStore; state: CompletionState } {
  const { client, latest } = useShared(url);
  const store = useMemo(() => new CompletionStore(client, latest.follow), [client, latest]);
  useEffect(() => store.configure({ defaults, onToken, onComplete }));
  useEffect(() => () => store.halt(), [store]);
  return { store, state: useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot) };
}
