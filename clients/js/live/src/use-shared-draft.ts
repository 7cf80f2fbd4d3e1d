/** A session's shared draft, kept up to date for as long as the component is there. */

import type { SessionStore } from "@hanzo/live-client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { DraftState } from "./draft/state";
import { DraftStore, type DraftStoreOptions } from "./draft/store";

export interface SharedDraft extends DraftState {
  /** Its verbs, and the places in its text. */
  store: DraftStore;
}

/**
 * The draft of the session whose store is open; renders at most once per animation frame. A page that knows who the
 * `user` is keeps from the first letter on what they write; else it is kept once the connection told.
 */
export function useSharedDraft(
  session: SessionStore,
  { user = null }: Pick<DraftStoreOptions, "user"> = {},
): SharedDraft {
  const store = useMemo(() => new DraftStore(session, { user }), [session, user]);
  useEffect(() => store.open(), [store]);
  const state = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  return useMemo(() => ({ ...state, store }), [state, store]);
}
