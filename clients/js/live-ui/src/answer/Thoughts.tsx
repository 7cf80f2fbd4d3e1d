/** The model's thinking: open while it thinks, folded to one line when it answers. The reader's own choice stays. */

import { useState, type ReactElement } from "react";
import { Chevron } from "../ui/icons";

export interface ThoughtsProps {
  thoughts: readonly string[];
  isThinking?: boolean;
  /** Where the reader has not chosen (default: while it thinks). What thinks again below its text should not push that away. */
  isOpen?: boolean;
  /** How long it thought; null where that was not seen. */
  thoughtMs?: number | null;
}

export function Thoughts({
  thoughts,
  isThinking = false,
  isOpen = isThinking,
  thoughtMs = null,
}: ThoughtsProps): ReactElement {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? isOpen;
  return (
    <section className="hl-thoughts">
      <button type="button" className="hl-thoughts-toggle" aria-expanded={open} onClick={() => setChosen(!open)}>
        <Chevron />
        {isThinking ? "Thinking" : thoughtText(thoughtMs)}
      </button>
      {open && (
        <ol className="hl-thoughts-list">
          {thoughts.map((thought, step) => (
            <li key={step}>{thought}</li>
          ))}
        </ol>
      )}
    </section>
  );
}

function thoughtText(ms: number | null): string {
  if (ms === null) return "Thoughts";
  if (ms < 950) return `Thought for ${(Math.max(ms, 100) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `Thought for ${seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`}`;
}
