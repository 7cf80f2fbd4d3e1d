/** Copies a text, and says that it did. */

import { useEffect, useState, type ReactElement } from "react";
import { copyText } from "./copy-text";
import { Check, Copy } from "./icons";

const SAYS_SO_MS = 1500;

export function CopyButton({ text, label }: { text: string; label: string }): ReactElement {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (outcome === null) return undefined;
    const timer = setTimeout(() => setOutcome(null), SAYS_SO_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () => {
    copyText(text).then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  };
  return (
    <button type="button" className="hl-button-quiet" onClick={copy} aria-label={label}>
      {outcome === "copied" ? <Check /> : <Copy />}
      <span aria-live="polite">
        {outcome === "copied" ? "Copied" : outcome === "failed" ? "Not copied" : "Copy"}
      </span>
    </button>
  );
}
