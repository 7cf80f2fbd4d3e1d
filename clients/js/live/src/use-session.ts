/** A session's store, open as long as the component is there. */

import {
  SessionStore,
  type HanzoLiveClient,
  type SessionState,
  type SubscribeOptions,
} from "@hanzo/live-client";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";

/** The store of `session` (id or slug). Options are read once. */
export function useSessionStore(
  client: HanzoLiveClient,
  session: string,
  options: SubscribeOptions = {},
): SessionStore {
  const [first] = useState(options);
  const store = useMemo(() => new SessionStore(client, session, first), [client, session, first]);
  useEffect(() => store.open(), [store]);
  return store;
}

/** What the store knows; renders at most once per animation frame. */
export function useSessionState(store: SessionStore): SessionState {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
