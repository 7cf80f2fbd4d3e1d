/** What the list shows, kept in the page's address, so that it is the same after a reload and on the way back. */

import { useCallback, useState } from "react";

export interface ListAddress {
  /** What is searched for; empty where nothing is. */
  words: string;
  archived: boolean;
}

export function useAddress(): [ListAddress, (changes: Partial<ListAddress>) => void] {
  const [address, setAddress] = useState(() => read(location.search));
  const change = useCallback((changes: Partial<ListAddress>) => {
    setAddress((before) => {
      const next = { ...before, ...changes };
      history.replaceState(null, "", location.pathname + write(next));
      return next;
    });
  }, []);
  return [address, change];
}

export function read(query: string): ListAddress {
  const fields = new URLSearchParams(query);
  return { words: fields.get("q") ?? "", archived: fields.has("archived") };
}

export function write({ words, archived }: ListAddress): string {
  const fields = new URLSearchParams();
  if (words !== "") fields.set("q", words);
  if (archived) fields.set("archived", "1");
  const query = fields.toString();
  return query === "" ? "" : `?${query}`;
}
