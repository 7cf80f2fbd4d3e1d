/** The open invitations to a session, for its owners; looked at again while a mail is on its way. */

import { LiveError } from "@hanzo/live-client";
import { useCallback, useEffect, useState } from "react";
import { listInvitations, type Invitation } from "../../api/resources";

const LOOK_AGAIN_MS = 2000;

export interface Invitations {
  invitations: readonly Invitation[];
  error: LiveError | null;
  refresh: () => void;
}

export function useInvitations(session: string): Invitations {
  const [invitations, setInvitations] = useState<readonly Invitation[]>([]);
  const [error, setError] = useState<LiveError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const refresh = useCallback(() => setAttempt((before) => before + 1), []);

  useEffect(() => {
    const abort = new AbortController();
    listInvitations(session, abort.signal).then(
      (results) => {
        setInvitations(results);
        setError(null);
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(LiveError.from(reason));
      },
    );
    return () => abort.abort();
  }, [session, attempt]);

  const isMailing = invitations.some(({ mail }) => mail === "queued");
  useEffect(() => {
    if (!isMailing) return undefined;
    const timer = setInterval(refresh, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isMailing, refresh]);

  return { invitations, error, refresh };
}
