/** The answer that was asked for last under the provider, by any of its hooks; renders at most once a frame. */

import { useSyncExternalStore } from "react";
import type { CompletionState } from "./completion-store";
import { useShared } from "./provider";

export function useLatestAnswer(): CompletionState {
  const { latest } = useShared();
  return useSyncExternalStore(latest.subscribe, latest.getSnapshot, latest.getSnapshot);
}
