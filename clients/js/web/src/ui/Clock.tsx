/** The time of day at which something was said; the date with it, where one rests on it. */

import type { ReactElement } from "react";
import { clockTime, fullTime } from "./relative-time";

export function Clock({ at }: { at: string }): ReactElement {
  return (
    <time dateTime={at} title={fullTime(at)}>
      {clockTime(at)}
    </time>
  );
}
