/** What is found for the words of a search, a moment after the last key. */

import { LiveError } from "@hanzo/live-client";
import { useCallback, useEffect, useState } from "react";
import { nextPage, search, type Found } from "../api/resources";

const PAUSE_MS = 150;

interface Answer {
  words: string;
  results: Found[];
  next: string | null;
  error: LiveError | null;
}

export interface Search {
  /** Null while nothing was found yet; what was found last stays until there is something newer. */
  results: Found[] | null;
  isSearching: boolean;
  error: LiveError | null;
  hasMore: boolean;
  retry: () => void;
  more: () => void;
}

/** Nothing is asked while `words` is blank. */
export function useSearch(words: string): Search {
  const wanted = words.trim();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (wanted === "") return undefined;
    const abort = new AbortController();
    const begin = () => {
      search(wanted, abort.signal).then(
        ({ results, next }) => setAnswer({ words: wanted, results, next, error: null }),
        (reason: unknown) => {
          if (abort.signal.aborted) return;
          setAnswer({ words: wanted, results: [], next: null, error: LiveError.from(reason) });
        },
      );
    };
    const timer = setTimeout(begin, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted, attempt]);

  const retry = useCallback(() => {
    setAnswer(null);
    setAttempt((before) => before + 1);
  }, []);
  const next = answer?.next;
  const more = useCallback(() => {
    if (!next) return;
    const add = (results: Found[], after: string | null, error: LiveError | null) =>
      setAnswer((before) =>
        before?.next === next
          ? { ...before, results: [...before.results, ...results], next: after, error }
          : before,
      );
    nextPage<Found>(next).then(
      (page) => add(page.results, page.next, null),
      (reason: unknown) => add([], next, LiveError.from(reason)),
    );
  }, [next]);

  const shown = wanted === "" ? null : answer;
  const isSearching = wanted !== "" && answer?.words !== wanted;
  return {
    results: shown?.results ?? null,
    isSearching,
    error: isSearching ? null : (shown?.error ?? null),
    hasMore: Boolean(shown?.next),
    retry,
    more,
  };
}
