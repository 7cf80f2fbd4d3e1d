/** The sessions that one is in: loaded page by page, and looked at again when one comes back to the page. */

import { LiveError } from "@hanzo/live-client";
import { useCallback, useEffect, useRef, useState } from "react";
import { listSessions, nextPage, type SessionSummary } from "../api/resources";
import { useComingBack } from "./use-coming-back";

const PAGE = 30;
/** The most that the server gives at once. */
const MOST = 200;

interface Loaded {
  archived: boolean;
  sessions: SessionSummary[];
  next: string | null;
}

export interface Sessions {
  /** Null while they are being loaded for the first time. */
  sessions: SessionSummary[] | null;
  hasMore: boolean;
  error: LiveError | null;
  refresh: () => void;
  more: () => void;
}

export function useSessions(archived: boolean): Sessions {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<LiveError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const count = useRef(0);

  useEffect(() => {
    const abort = new AbortController();
    // As many as are shown: nothing below shall go away.
    const limit = Math.min(Math.max(count.current, PAGE), MOST);
    listSessions({ archived, limit }, abort.signal).then(
      ({ results, next }) => {
        count.current = results.length;
        setLoaded({ archived, sessions: results, next });
        setError(null);
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(LiveError.from(reason));
      },
    );
    return () => abort.abort();
  }, [archived, attempt]);

  const refresh = useCallback(() => setAttempt((before) => before + 1), []);
  useComingBack(refresh);

  const shown = loaded?.archived === archived ? loaded : null;
  const next = shown?.next;
  const more = useCallback(() => {
    if (!next) return;
    nextPage<SessionSummary>(next).then(
      (page) =>
        setLoaded((before) => {
          if (before?.next !== next) return before;
          const sessions = withoutRepeats([...before.sessions, ...page.results]);
          count.current = sessions.length;
          return { ...before, sessions, next: page.next };
        }),
      (reason: unknown) => setError(LiveError.from(reason)),
    );
  }, [next]);

  return { sessions: shown?.sessions ?? null, hasMore: Boolean(next), error, refresh, more };
}

/** What moved up in the order while one read on is on two pages. */
function withoutRepeats(sessions: readonly SessionSummary[]): SessionSummary[] {
  return [...new Map(sessions.map((session) => [session.id, session])).values()];
}
