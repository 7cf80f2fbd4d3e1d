/** A person as a small circle: their picture, else their initials. */

import type { ReactElement } from "react";

/** At most two letters, from the first and the last word of the name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = Array.from(words[0] ?? "?")[0] ?? "?";
  const last = words.length > 1 ? (Array.from(words.at(-1) ?? "")[0] ?? "") : "";
  return (first + last).toUpperCase();
}

export interface AvatarProps {
  /** Address of the picture. */
  src?: string | null | undefined;
  name?: string;
  size?: "small" | "medium";
  online?: boolean;
}

/** Decoration beside a name; alone it needs a label around it. */
export function Avatar({ src, name = "", size = "medium", online = false }: AvatarProps): ReactElement {
  return (
    // Initials are drawn by the style: as text they would be a part of what a control around them says.
    <span
      className={`hl-avatar hl-avatar-${size}`}
      aria-hidden="true"
      data-initials={src ? undefined : initials(name)}
    >
      {src && <img src={src} alt="" />}
      {online && <span className="hl-avatar-online" />}
    </span>
  );
}
