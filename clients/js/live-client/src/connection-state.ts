/** What a connection can be in, for programs and for the pill in a page's corner. */

import type { LiveError } from "./errors";

export type ConnectionState =
  /** Not asked to connect yet, or disconnected on purpose. */
  | { readonly status: "idle" }
  /** A socket is being opened; `attempt` 0 is the first one. */
  | { readonly status: "connecting"; readonly attempt: number }
  | { readonly status: "live" }
  /** Waiting to try again, at `retryAt` (ms since 1970). */
  | { readonly status: "waiting"; readonly attempt: number; readonly retryAt: number }
  /** Attempts are spent, or reconnecting is switched off: `connect()` tries again. */
  | { readonly status: "offline"; readonly error: LiveError }
  /** The server ended it for a reason that trying again does not mend (sign in again, not allowed). */
  | { readonly status: "ended"; readonly error: LiveError };
