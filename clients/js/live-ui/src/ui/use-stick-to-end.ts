/**
 * Keeps a scrolled list at its end while it grows, unless the reader went up: then what they read stays in its place,
 * whatever comes above it or below.
 */

import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

/** Within so many pixels of the end one is at the end. */
const NEAR = 56;

/** Of the list's height: what is higher is gone to at its beginning. */
const HIGH = 0.6;

export interface StickToEnd<Scroller extends HTMLElement = HTMLElement> {
  /** What scrolls, and what grows in it. */
  scroller: RefObject<Scroller | null>;
  content: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  toEnd: () => void;
  /** Goes to what is in the list, and does not follow its end any more until the reader is there again. */
  goTo: (element: HTMLElement) => void;
}

/** The first message of which something shows, and how far it begins below the list's upper edge. */
interface Anchor {
  element: Element;
  top: number;
}

export function useStickToEnd<Scroller extends HTMLElement = HTMLElement>(): StickToEnd<Scroller> {
  const scroller = useRef<Scroller>(null);
  const content = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const following = useRef(true);
  const anchor = useRef<Anchor | null>(null);

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
    anchor.current = anchorIn(element);
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
      anchor.current = following.current ? null : anchorIn(element);
      setAtEnd(near || following.current);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element || !content.current || typeof ResizeObserver === "undefined") return undefined;
    // Told before anything is painted: what moved is back in its place before anybody sees it.
    const observer = new ResizeObserver(() => {
      const held = anchor.current;
      if (following.current) element.scrollTop = element.scrollHeight;
      else if (held?.element.isConnected) element.scrollTop += topOf(held.element, element) - held.top;
    });
    observer.observe(content.current);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { scroller, content, atEnd, toEnd, goTo };
}

function anchorIn(scroller: HTMLElement): Anchor | null {
  for (const element of scroller.querySelectorAll("article")) {
    const top = topOf(element, scroller);
    if (top + element.offsetHeight > 0) return { element, top };
  }
  return null;
}

function topOf(element: Element, scroller: HTMLElement): number {
  return element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function isNearEnd(element: HTMLElement): boolean {
  return element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
}
