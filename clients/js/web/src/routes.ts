/** Which page an address names. The server decides what exists; this only reads. */

export type PageName = { name: "sessions" } | { name: "session"; session: string };

export function pageAt(path: string): PageName {
  const match = /^\/s\/([^/]+)\/?$/.exec(path);
  return match?.[1] ? { name: "session", session: decodeURIComponent(match[1]) } : { name: "sessions" };
}

/** The address of a session's page. */
export function sessionPath(session: { id: string; slug: string | null }): string {
  return `/s/${encodeURIComponent(session.slug ?? session.id)}`;
}

/** The address of one message: its number within the session. */
export function messagePath(session: { id: string; slug: string | null }, n: number): string {
  return `${sessionPath(session)}#m-${n}`;
}

/** The number of the message that the part of an address behind `#` names; null where it names none. */
export function messageAt(hash: string): number | null {
  const match = /^#m-([1-9]\d{0,8})$/.exec(hash);
  return match ? Number(match[1]) : null;
}
