/** Who is in a session and what they do, for as long as the component is there. */

import type { SessionStore } from "@hanzo/live-client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { PresenceStore, type PersonCursor, type PresenceState } from "./presence/store";

export interface Presence extends PresenceState {
  /** The way to tell the others what one does, and their cursors. */
  store: PresenceStore;
}

/** The people in the session whose store is open. A cursor that moves does not render: see `useCursors`. */
export function usePresence(session: SessionStore): Presence {
  const store = useMemo(() => new PresenceStore(session), [session]);
  useEffect(() => store.open(), [store]);
  const state = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  return useMemo(() => ({ ...state, store }), [state, store]);
}

/** The others' cursors; renders at most once per animation frame. */
export function useCursors(store: PresenceStore): readonly PersonCursor[] {
  return useSyncExternalStore(store.subscribeCursors, store.getCursors, store.getCursors);
}
