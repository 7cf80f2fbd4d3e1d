/** The open invitations to a session, for its owners, and the ways to bring people in. */

import { LiveError, type RestAccess, type User } from "@hanzo/live-client";
import { useCallback, useEffect, useState } from "react";
import { useClient } from "../provider";
import {
  addMember,
  invite,
  listInvitations,
  revokeInvitation,
  type Invitation,
  type InvitationRequest,
  type InvitedRole,
  type NewInvitation,
} from "./resources";

/** While a mail is on its way. */
const LOOK_AGAIN_MS = 2000;

/** Who has an account on the server is a member at once; others are mailed an invitation. */
export type Added = { kind: "added"; user: User } | { kind: "invited"; invitation: NewInvitation };

export interface Invitations {
  invitations: readonly Invitation[];
  /** Why they cannot be had. */
  error: LiveError | null;
  /** Rejects with a LiveError. */
  add: (email: string, role: InvitedRole) => Promise<Added>;
  /** Makes a link that whoever has it joins by. Rejects with a LiveError. */
  makeLink: (request: Omit<InvitationRequest, "email">) => Promise<NewInvitation>;
  /** Rejects with a LiveError. */
  revoke: (invitation: string) => Promise<void>;
}

export interface UseInvitationsOptions {
  /** Id or slug. */
  sessionId: string;
  /** Default: the provider's. */
  url?: string;
}

export function useInvitations({ sessionId, url }: UseInvitationsOptions): Invitations {
  const client = useClient(url);
  const [invitations, setInvitations] = useState<readonly Invitation[]>([]);
  const [error, setError] = useState<LiveError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const refresh = useCallback(() => setAttempt((before) => before + 1), []);

  useEffect(() => {
    const abort = new AbortController();
    listInvitations(client.access, sessionId, abort.signal).then(
      (results) => {
        setInvitations(results);
        setError(null);
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(LiveError.from(reason));
      },
    );
    return () => abort.abort();
  }, [client, sessionId, attempt]);

  const isMailing = invitations.some(({ mail }) => mail === "queued");
  useEffect(() => {
    if (!isMailing) return undefined;
    const timer = setInterval(refresh, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isMailing, refresh]);

  const add = useCallback(
    async (email: string, role: InvitedRole) => {
      const added = await bring(client.access, sessionId, email, role);
      if (added.kind === "invited") refresh();
      return added;
    },
    [client, sessionId, refresh],
  );
  const makeLink = useCallback(
    async (request: Omit<InvitationRequest, "email">) => {
      const made = await invite(client.access, sessionId, request);
      refresh();
      return made;
    },
    [client, sessionId, refresh],
  );
  const revoke = useCallback(
    async (invitation: string) => {
      await revokeInvitation(client.access, sessionId, invitation);
      refresh();
    },
    [client, sessionId, refresh],
  );
  return { invitations, error, add, makeLink, revoke };
}

/** The server tells an owner whether an address has an account, and nobody else. */
async function bring(access: RestAccess, session: string, email: string, role: InvitedRole): Promise<Added> {
  try {
    return { kind: "added", user: (await addMember(access, session, email, role)).user };
  } catch (reason) {
    const { code, field } = LiveError.from(reason);
    if (code !== "NOT_FOUND" || field !== "email") throw reason;
    return { kind: "invited", invitation: await invite(access, session, { email, role }) };
  }
}
