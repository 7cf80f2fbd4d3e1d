/** A person as a small circle: their picture, else their initials. */

import type { User } from "@hanzo/live-client";
import type { ReactElement } from "react";

/** At most two letters, from the first and the last word of the name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = Array.from(words[0] ?? "?")[0] ?? "?";
  const last = words.length > 1 ? (Array.from(words.at(-1) ?? "")[0] ?? "") : "";
  return (first + last).toUpperCase();
}

interface AvatarProps {
  user: Pick<User, "name" | "avatar">;
  size?: "small" | "medium";
  online?: boolean;
}

/** Decoration beside a name; alone it needs a label around it. */
export function Avatar({ user, size = "medium", online = false }: AvatarProps): ReactElement {
  return (
    // Initials are drawn by the style: as text they would be a part of what a control around them says.
    <span
      className={`avatar avatar-${size}`}
      aria-hidden="true"
      data-initials={user.avatar ? undefined : initials(user.name)}
    >
      {user.avatar && <img src={user.avatar} alt="" />}
      {online && <span className="avatar-online" />}
    </span>
  );
}
