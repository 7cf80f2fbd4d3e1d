/** Goes to the message that the page's address names, behind `#`: loads older ones until it is there, and shows it. */

import { useCallback, useEffect, useRef, useState } from "react";
import { messageAt } from "../routes";
import type { OlderMessages } from "./use-older-messages";
import type { MessageView } from "./view";

interface Where {
  messages: readonly MessageView[];
  isReady: boolean;
  hasMore: boolean;
  older: OlderMessages;
  goTo: (element: HTMLElement) => void;
}

export interface LinkedMessage {
  /** The number of the message; null where the address names none. */
  n: number | null;
  state: "none" | "searching" | "shown" | "missing";
  /** Takes it out of the address. */
  forget: () => void;
}

export function useLinkedMessage({ messages, isReady, hasMore, older, goTo }: Where): LinkedMessage {
  const [n, setN] = useState(() => messageAt(location.hash));
  const shown = useRef<number | null>(null);
  useEffect(() => {
    const onHash = () => {
      shown.current = null;
      setN(messageAt(location.hash));
    };
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, []);

  const isHere = n !== null && messages.some(({ message }) => message.n === n);
  const mayCome = n !== null && hasMore && (messages[0]?.message.n ?? 0) > n;
  const { status, load } = older;
  useEffect(() => {
    if (n === null || !isReady || shown.current === n) return;
    if (isHere) {
      shown.current = n;
      const element = document.getElementById(`m-${n}`);
      if (element) goTo(element);
      element?.focus({ preventScroll: true });
    } else if (mayCome && status === "idle") {
      load();
    }
  }, [n, isReady, isHere, mayCome, status, load, goTo, messages]);

  const forget = useCallback(() => {
    if (messageAt(location.hash) === null) return;
    history.replaceState(null, "", location.pathname + location.search);
    setN(null);
  }, []);
  const state = n === null ? "none" : isHere ? "shown" : !isReady || mayCome ? "searching" : "missing";
  return { n, state, forget };
}
