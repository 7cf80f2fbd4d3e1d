/** Tells the server how far somebody has read: what was at the end of the list while they looked at the page. */

import { LiveError } from "@hanzo/live-client";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { markRead } from "../api/resources";

/** `n` is the newest message that will not change any more; 0 where there is none. */
export function useMarkRead(session: string, n: number, isSeen: boolean): void {
  const isVisible = useSyncExternalStore(watchVisibility, () => !document.hidden);
  const told = useRef(0);
  useEffect(() => {
    if (!isSeen || !isVisible || n <= told.current) return;
    const before = told.current;
    told.current = n;
    markRead(session, n).catch((reason: unknown) => {
      // The next message, or the next look at the page, tells it again.
      told.current = Math.min(told.current, before);
      console.warn(`What was read could not be noted: ${LiveError.from(reason).message}`);
    });
  }, [session, n, isSeen, isVisible]);
}

function watchVisibility(onChange: () => void): () => void {
  document.addEventListener("visibilitychange", onChange);
  return () => document.removeEventListener("visibilitychange", onChange);
}
