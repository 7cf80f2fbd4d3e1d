/** What may happen to a prompt that comes while another answer is written, in words. */

import type { Overlap } from "@hanzo/live-client";

export const OVERLAPS: readonly [Overlap, string][] = [
  ["queue", "Waits in the queue"],
  ["reject", "Is refused"],
  ["interrupt", "Stops that answer"],
];
