/** Keeps the page's address the session's own, which an owner may change while one looks. */

import type { SessionInfo } from "@hanzo/live-client";
import { useEffect } from "react";
import { sessionPath } from "../routes";

export function useOwnAddress(session: SessionInfo | null): void {
  const path = session && sessionPath(session);
  useEffect(() => {
    if (path === null || path === location.pathname) return;
    history.replaceState(history.state, "", path + location.search + location.hash);
  }, [path]);
}
