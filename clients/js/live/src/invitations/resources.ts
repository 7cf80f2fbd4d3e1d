/** The REST of bringing people into a session. */

import { rest, type MemberInfo, type RestAccess, type Role } from "@hanzo/live-client";

/** The roles that one comes in with: an owner is made of a member. */
export type InvitedRole = Exclude<Role, "owner">;

/** An invitation that can still be accepted. */
export interface Invitation {
  id: string;
  /** Null for a link. */
  email: string | null;
  role: InvitedRole;
  max_uses: number;
  uses: number;
  mail: "queued" | "sent" | "failed" | null;
  expires_at: string;
}

export interface NewInvitation extends Invitation {
  /** Given this once. */
  url: string;
}

export interface InvitationRequest {
  /** Whom; without one it is a link. */
  email?: string;
  role: InvitedRole;
  /** Seconds. */
  expires_in?: number;
  max_uses?: number;
}

const inSession = (session: string, rest: string) => `sessions/${encodeURIComponent(session)}/${rest}`;

/** The open ones, the newest first. */
export async function listInvitations(
  access: RestAccess,
  session: string,
  signal: AbortSignal,
): Promise<Invitation[]> {
  const path = inSession(session, "invitations");
  return (await rest<{ results: Invitation[] }>(access, path, { signal })).results;
}

export const invite = (access: RestAccess, session: string, body: InvitationRequest) =>
  rest<NewInvitation>(access, inSession(session, "invitations"), { method: "POST", body });

export const revokeInvitation = (access: RestAccess, session: string, invitation: string) =>
  rest<undefined>(access, inSession(session, `invitations/${encodeURIComponent(invitation)}`), { method: "DELETE" });

export const addMember = (access: RestAccess, session: string, email: string, role: InvitedRole) =>
  rest<MemberInfo>(access, inSession(session, "members"), { method: "POST", body: { email, role } });
