/** The time of day at which something was said; the date with it, where one rests on it. */

import { clockTime, fullTime } from "@hanzo/live-ui";
import type { ReactElement } from "react";

export function Clock({ at }: { at: string }): ReactElement {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {clockTime(at)}
    </time>
  );
}
