/** What one was about to say, kept in this browser until it is sent. */

import { useCallback, useState } from "react";

export function useDraft(session: string): [string, (text: string) => void] {
  const name = `hanzo-live:draft:${session}`;
  const [draft, setDraft] = useState(() => read(name));
  const change = useCallback(
    (text: string) => {
      setDraft(text);
      write(name, text);
    },
    [name],
  );
  return [draft, change];
}

// Storage may be switched off or full: the draft then lives as long as the page does.

function read(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function write(name: string, text: string): void {
  try {
    if (text === "") localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    return;
  }
}
