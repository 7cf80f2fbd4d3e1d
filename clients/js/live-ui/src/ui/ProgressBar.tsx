/** How far something is; while nobody can tell, that it moves. */

import type { ReactElement } from "react";

export interface ProgressBarProps {
  /** Of `max`; what is beyond its bounds is shown as the nearer one. */
  value?: number | null;
  max?: number;
  /** There is no ground for a value yet. So it is, too, where `value` is absent or no number. */
  indeterminate?: boolean;
  /** How far what is. */
  label?: string;
  className?: string;
}

export function ProgressBar({
  value,
  max = 100,
  indeterminate = false,
  label = "Progress",
  className = "",
}: ProgressBarProps): ReactElement {
  const isKnown = !indeterminate && typeof value === "number" && Number.isFinite(value);
  if (isKnown)
    return <progress className={`hl-progress ${className}`.trim()} max={max} value={value} aria-label={label} />;
  return (
    <div className={`hl-progress-moving ${className}`.trim()}>
      <progress className="hl-progress" aria-label={label} />
    </div>
  );
}
