/** Small signs of what happens. Each says so in words to those who do not see it. */

import type { ReactElement } from "react";
import { Check } from "./icons";

interface SignProps {
  /** What it stands for. */
  label?: string;
}

/** Something is being worked on. */
export function Spinner({ label = "Working" }: SignProps): ReactElement {
  return (
    <span className="hl-spinner" role="status">
      <span className="hl-visually-hidden">{label}</span>
    </span>
  );
}

/** Something is done. */
export function CheckMark({ label = "Done" }: SignProps): ReactElement {
  return (
    <span className="hl-check" role="img" aria-label={label}>
      <Check />
    </span>
  );
}

/** An answer is being written. */
export function StreamingIndicator({ label = "Writing" }: SignProps): ReactElement {
  return (
    <span className="hl-streaming" role="status">
      <span className="hl-streaming-dot" aria-hidden="true" />
      {label}
    </span>
  );
}

/** Somebody is typing. */
export function TypingIndicator({ label = "typing" }: SignProps): ReactElement {
  return (
    <span className="hl-typing">
      <TypingDots />
      <span className="hl-visually-hidden">{label}</span>
    </span>
  );
}

/** Three dots, without words. */
export function TypingDots(): ReactElement {
  return (
    <span className="hl-typing-dots" aria-hidden="true">
      <span />
      <span />
      <span />
    </span>
  );
}
