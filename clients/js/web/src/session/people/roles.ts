/** What members are called, and what they may do. */

import type { Role } from "@hanzo/live-client";

export const ROLES: Record<Role, string> = { owner: "Owner", editor: "Editor", viewer: "Viewer" };

/** The roles that one comes in with: an owner is made of a member. */
export type InvitedRole = Exclude<Role, "owner">;

export const INVITED_ROLES: readonly [InvitedRole, string][] = [
  ["editor", "Editor: asks and stops"],
  ["viewer", "Viewer: watches"],
];
