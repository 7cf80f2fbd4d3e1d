/** A conversation of one component: what `useHanzoLive` and `useToolStream` are thin over. */

import type { StreamRequest } from "@hanzo/live-client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { ConversationStore, type ConversationState } from "./conversation-store";
import { useShared } from "./provider";

export function useConversation(
  url: string | undefined,
  defaults: StreamRequest,
): { store: ConversationStore; state: ConversationState } {
  const { client, latest } = useShared(url);
  const store = useMemo(() => new ConversationStore(client, latest.follow), [client, latest]);
  useEffect(() => store.completion.configure({ defaults }));
  useEffect(() => () => store.completion.halt(), [store]);
  return { store, state: useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot) };
}
