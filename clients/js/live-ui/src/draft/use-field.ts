/** A text field that is the shared draft. */

import type { DraftStore } from "@hanzo/live";
import { useEffect, useRef, type RefObject } from "react";
import { FieldBinding, type FieldEvents } from "./field-binding";

export function useField(draft: DraftStore, events: FieldEvents): RefObject<HTMLTextAreaElement | null> {
  const field = useRef<HTMLTextAreaElement>(null);
  const { onTyped, onSelect } = events;
  useEffect(() => {
    const element = field.current;
    return element ? new FieldBinding(element, draft, { onTyped, onSelect }).bind() : undefined;
  }, [draft, onTyped, onSelect]);
  return field;
}
