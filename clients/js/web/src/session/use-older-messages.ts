/** Fetches older messages page by page, following the server's `next`. */

import { LiveError, type SessionStore } from "@hanzo/live-client";
import { useCallback, useRef, useState } from "react";
import { listMessages } from "../api/resources";

export interface OlderMessages {
  status: "idle" | "loading" | "failed";
  error: LiveError | null;
  load: () => void;
}

export function useOlderMessages(session: string, store: SessionStore, hasMore: boolean): OlderMessages {
  const [status, setStatus] = useState<OlderMessages["status"]>("idle");
  const [error, setError] = useState<LiveError | null>(null);
  const busy = useRef(false);
  const next = useRef<string | null>(null);

  const load = useCallback(() => {
    if (busy.current || !hasMore) return;
    busy.current = true;
    setStatus("loading");
    loadOlder(session, store, next.current)
      .then(
        (cursor) => {
          next.current = cursor;
          setStatus("idle");
          setError(null);
        },
        (reason: unknown) => {
          setError(LiveError.from(reason));
          setStatus("failed");
        },
      )
      .finally(() => {
        busy.current = false;
      });
  }, [session, store, hasMore]);

  return { status, error, load };
}

/** Puts the next older messages into the store; the first page may hold only what is there already. */
async function loadOlder(session: string, store: SessionStore, from: string | null): Promise<string | null> {
  let cursor = from;
  for (;;) {
    const oldest = store.getSnapshot().messages[0]?.n ?? Infinity;
    const page = await listMessages(session, cursor);
    cursor = page.next;
    store.addOlder(page.results, cursor !== null);
    if (cursor === null || page.results.some(({ n }) => n < oldest)) return cursor;
  }
}
