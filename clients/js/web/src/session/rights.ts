/** What the reader may do in a session. The server decides; this only keeps the page from offering what it refuses. */

import type { Role, SessionState } from "@hanzo/live-client";

export interface Rights {
  role: Role | null;
  /** Ask, and stop answers. */
  write: boolean;
  /** Rename, and change who is in it. */
  manage: boolean;
  /** Why writing is not offered, for the person; null where it is, or where it is not known yet. */
  whyNot: string | null;
}

export function rightsOf(state: SessionState, userId: string): Rights {
  const role = state.members.find(({ user }) => user.id === userId)?.role ?? null;
  const archived = state.session?.archived ?? false;
  const open = state.status === "ready" && !archived;
  return {
    role,
    write: open && (role === "owner" || role === "editor"),
    manage: state.status === "ready" && role === "owner",
    whyNot: whyNot(state, role, archived),
  };
}

function whyNot(state: SessionState, role: Role | null, archived: boolean): string | null {
  if (state.status !== "ready") return null;
  if (archived) return "This session is archived: it can be read, and nothing new can be said.";
  if (role === "viewer") return "You are watching as a viewer. An owner of this session can let you write.";
  return role === null ? "Only members can write here." : null;
}
