/** Who is typing and who is asking the model, on a line that is always there: nothing moves when somebody begins. */

import type { Person } from "@hanzo/live";
import { useEffect, useRef, useState, type ReactElement } from "react";
import { TypingDots } from "../ui/signs";
import { typingText } from "./typing";

/** Somebody has to type for so long before a screen reader says so, and it does not say it again for a while. */
const SETTLED_MS = 1500;
const QUIET_MS = 20_000;

export function TypingLine({ people }: { people: readonly Person[] }): ReactElement {
  const text = typingText(people);
  const said = useSeldom(text);
  return (
    <div className="hl-typing-line">
      {text !== "" && (
        <p className="hl-typing-text" aria-hidden="true">
          <TypingDots />
          <span className="hl-typing-words">{text}</span>
        </p>
      )}
      <p className="hl-visually-hidden" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

/** `text` once it has stood for a moment, but not anew at each change of it. */
function useSeldom(text: string): string {
  const [said, setSaid] = useState("");
  const lastAt = useRef(-Infinity);
  useEffect(() => {
    const wait = text === "" ? SETTLED_MS : Math.max(SETTLED_MS, lastAt.current + QUIET_MS - Date.now());
    const timer = setTimeout(() => {
      if (text !== "") lastAt.current = Date.now();
      setSaid(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text]);
  return said;
}
