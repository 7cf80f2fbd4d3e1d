/** Between two messages of different days: the day that begins. Before the first message: its day, unless it is today. */

import { dayNumber, dayText } from "@hanzo/live-ui";
import type { ReactElement } from "react";

interface NewDayProps {
  at: string;
  /** When the message before it was said. */
  before: string | undefined;
  now: number;
}

export function NewDay({ at, before, now }: NewDayProps): ReactElement | null {
  if (dayNumber(Date.parse(at)) === dayNumber(before === undefined ? now : Date.parse(before))) return null;
  return (
    <h2 className="day">
      <time dateTime={at}>{dayText(at, now)}</time>
    </h2>
  );
}
