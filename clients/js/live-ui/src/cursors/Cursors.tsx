/** What the others point at, over the conversation. */

import type { PresenceStore } from "@hanzo/live";
import type { Message, SessionStore } from "@hanzo/live-client";
import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import type { MessageElements } from "./anchor";
import { PointerLayer } from "./pointer-layer";

export interface CursorsProps {
  scroller: RefObject<HTMLElement | null>;
  content: RefObject<HTMLElement | null>;
  store: SessionStore;
  presence: PresenceStore;
  /** The id of a message's element, an `article` in `content`. The same function each time. */
  anchorOf: (message: Message) => string;
}

export function Cursors({ scroller, content, store, presence, anchorOf }: CursorsProps): ReactElement {
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!scroller.current || !content.current || !layer.current) return undefined;
    const { current: inside } = content;
    return new PointerLayer(scroller.current, inside, layer.current, elementsOf(store, anchorOf), presence).begin();
  }, [scroller, content, store, presence, anchorOf]);
  return <div ref={layer} className="hl-pointers" aria-hidden="true" />;
}

function elementsOf(store: SessionStore, anchorOf: CursorsProps["anchorOf"]): MessageElements {
  const all = () => store.current.messages;
  return {
    idOf: (element) => all().find((message) => anchorOf(message) === element.id)?.id ?? null,
    elementOf: (id) => {
      const message = all().find((each) => each.id === id);
      return message ? document.getElementById(anchorOf(message)) : null;
    },
  };
}
