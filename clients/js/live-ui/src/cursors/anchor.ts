/**
 * A point in the conversation, by what is there: a message and parts of its text's size. So it is at the same words on
 * a page of another width, and stays there while older messages are loaded and new ones are written.
 */

import type { Pointer } from "@hanzo/live";

/** The text of a message; where that is not drawn, the message. */
const TEXT = ".hl-prose, [data-text]";
/** As far beside a message as is told. */
const FARTHEST = 2;
const DIGITS = 1e4;

/** Ids of messages and of their elements. */
export interface MessageElements {
  idOf: (element: Element) => string | null;
  elementOf: (message: string) => Element | null;
}

/** The point that is at (`x`, `y`) in the window. */
export function pointerAt(content: Element, x: number, y: number, messages: MessageElements): Pointer {
  const nearest = nearestTo(Array.from(content.querySelectorAll(":scope > article[id]")), y);
  const message = nearest === null ? null : messages.idOf(nearest);
  const box = boxOf(nearest === null || message === null ? content : nearest);
  return { message, x: part(x - box.left, box.width), y: part(y - box.top, box.height) };
}

/** Where such a point is here, within `content`; null where its message is not. */
export function placeOf(
  content: Element,
  pointer: Pointer,
  messages: MessageElements,
): { left: number; top: number } | null {
  const element = pointer.message === null ? content : messages.elementOf(pointer.message);
  if (!element) return null;
  const [box, origin] = [boxOf(element), content.getBoundingClientRect()];
  return {
    left: box.left + pointer.x * box.width - origin.left,
    top: box.top + pointer.y * box.height - origin.top,
  };
}

function boxOf(element: Element): DOMRect {
  return (element.matches("article") ? (element.querySelector(TEXT) ?? element) : element).getBoundingClientRect();
}

/** Of elements one below the other. */
function nearestTo(elements: readonly Element[], y: number): Element | null {
  let [low, high] = [0, elements.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle]?.getBoundingClientRect().bottom ?? 0) < y) low = middle + 1;
    else high = middle;
  }
  const [above, below] = [elements[low - 1], elements[low]];
  if (!above || !below) return below ?? above ?? null;
  const gap = below.getBoundingClientRect().top - y;
  return gap > y - above.getBoundingClientRect().bottom ? above : below;
}

function part(distance: number, size: number): number {
  const share = size > 0 ? distance / size : 0;
  return Math.round(Math.min(FARTHEST, Math.max(-FARTHEST, share)) * DIGITS) / DIGITS;
}
