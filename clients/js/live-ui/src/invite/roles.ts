/** What members are called, and what they may do. */

import type { InvitedRole } from "@hanzo/live";
import type { Role } from "@hanzo/live-client";

export const ROLES: Record<Role, string> = { owner: "Owner", editor: "Editor", viewer: "Viewer" };

/** Those that one comes in with. */
export const INVITED_ROLES: readonly [InvitedRole, string][] = [
  ["editor", "Editor: asks and stops"],
  ["viewer", "Viewer: watches"],
];
