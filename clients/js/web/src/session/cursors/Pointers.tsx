/** What the others point at, over the conversation. */

import type { PresenceStore } from "@hanzo/live";
import type { SessionStore } from "@hanzo/live-client";
import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { anchorOf } from "../MessageActions";
import type { MessageElements } from "./anchor";
import { PointerLayer } from "./pointer-layer";

interface PointersProps {
  scroller: RefObject<HTMLElement | null>;
  content: RefObject<HTMLElement | null>;
  store: SessionStore;
  presence: PresenceStore;
}

export function Pointers({ scroller, content, store, presence }: PointersProps): ReactElement {
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!scroller.current || !content.current || !layer.current) return undefined;
    const { current: inside } = content;
    return new PointerLayer(scroller.current, inside, layer.current, elementsOf(store), presence).begin();
  }, [scroller, content, store, presence]);
  return <div ref={layer} className="pointers" aria-hidden="true" />;
}

function elementsOf(store: SessionStore): MessageElements {
  const all = () => store.current.messages;
  return {
    idOf: (element) => all().find((message) => anchorOf(message) === element.id)?.id ?? null,
    elementOf: (id) => {
      const message = all().find((each) => each.id === id);
      return message ? document.getElementById(anchorOf(message)) : null;
    },
  };
}
