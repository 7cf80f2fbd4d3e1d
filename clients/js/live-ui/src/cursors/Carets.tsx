/** The others' carets, over the field in which everybody writes. */

import type { DraftStore, PresenceStore } from "@hanzo/live";
import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { CaretLayer } from "./caret-layer";

interface CaretsProps {
  field: RefObject<HTMLTextAreaElement | null>;
  draft: DraftStore;
  presence: PresenceStore;
}

export function Carets({ field, draft, presence }: CaretsProps): ReactElement {
  const layer = useRef<HTMLDivElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!field.current || !layer.current || !mirror.current) return undefined;
    return new CaretLayer(field.current, layer.current, mirror.current, draft, presence).begin();
  }, [field, draft, presence]);
  return (
    <>
      <div ref={mirror} className="hl-composer-text hl-composer-mirror" aria-hidden="true" />
      <div ref={layer} className="hl-carets" aria-hidden="true" />
    </>
  );
}
