/** What one wrote in a draft that is over by now: how much of it is still to be said. Not for where it goes. */

import type { Run } from "./document";
import type { Written } from "./keeping";

/** Characters that are not the same twice by chance. */
const TELLING = 8;

/** One's own text whose draft is over, and whether the server is known not to have posted it. */
export interface Leftover {
  text: string;
  isSure: boolean;
}

/** Without what was posted with that draft; `posted` is null where the message is not here. */
export function leftoverOf(written: Written, posted: string | null): Leftover {
  const isPosted = posted !== null && written.maybeSent.every((run) => isIn(posted, run));
  return {
    text: textOf(isPosted ? written.neverSent : written.all),
    isSure: written.maybeSent.length === 0 || posted !== null,
  };
}

export function textOf(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join("\n");
}

/** Whether a text holds the run; of a short one what stood before it has to be there as well. */
function isIn(text: string, { before, text: written }: Run): boolean {
  return text.includes((written.length < TELLING ? before + written : written).trim());
}
