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
