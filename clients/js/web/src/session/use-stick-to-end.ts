/**
 * Keeps a scrolled list at its end while it grows, unless the reader went up; and keeps what they read in its place
 * when older messages are put in above it.
 */

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** Within so many pixels of the end one is at the end. */
const NEAR = 56;

/** Of the list's height: what is higher is gone to at its beginning. */
const HIGH = 0.6;

export interface StickToEnd {
  /** What scrolls, and what grows in it. */
  scroller: RefObject<HTMLElement | null>;
  content: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  toEnd: () => void;
  /** Goes to what is in the list, and does not follow its end any more until the reader is there again. */
  goTo: (element: HTMLElement) => void;
}

/** `firstId` is that of the first message: when it changes, the list grew at its beginning. */
export function useStickToEnd(firstId: string | undefined): StickToEnd {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const following = useRef(true);
  const height = useRef(0);
  const first = useRef(firstId);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    following.current = true;
    element.scrollTop = element.scrollHeight;
    setAtEnd(true);
  }, []);

  const goTo = useCallback((target: HTMLElement) => {
    const element = scroller.current;
    if (!element) return;
    following.current = false;
    const isHigh = target.offsetHeight > element.clientHeight * HIGH;
    target.scrollIntoView({ block: isHigh ? "start" : "center" });
    setAtEnd(isNearEnd(element));
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    let last = element.scrollTop;
    const onScroll = () => {
      const near = isNearEnd(element);
      // Growing content leaves the end behind without anybody scrolling: only going up stops the following.
      if (near) following.current = true;
      else if (element.scrollTop < last) following.current = false;
      last = element.scrollTop;
      setAtEnd(near || following.current);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element || !content.current || typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
      height.current = element.scrollHeight;
    });
    observer.observe(content.current);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (first.current !== undefined && first.current !== firstId && !following.current) {
      element.scrollTop += element.scrollHeight - height.current;
    }
    first.current = firstId;
    height.current = element.scrollHeight;
  }, [firstId]);

  return { scroller, content, atEnd, toEnd, goTo };
}

function isNearEnd(element: HTMLElement): boolean {
  return element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
}
