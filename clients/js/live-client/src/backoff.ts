/** How long to wait before the next attempt to connect. Pure: randomness is handed in. */

export interface ReconnectOptions {
  enabled?: boolean;
  /** Attempts in a row before giving up; `Infinity` never gives up. */
  maxAttempts?: number;
  /** Ceiling of the first wait. */
  delayMs?: number;
  /** Double the ceiling with each attempt, up to 30 s. */
  exponentialBackoff?: boolean;
}

export const RECONNECT_DEFAULTS: Required<ReconnectOptions> = {
  enabled: true,
  maxAttempts: 5,
  delayMs: 1000,
  exponentialBackoff: true,
};

const CEILING_MS = 30_000;

/**
 * Milliseconds before attempt number `attempt` (from 1): anywhere between nothing and the ceiling ("full jitter"),
 * so that the clients of a restarted server do not all come back at once.
 */
export function reconnectDelay(
  attempt: number,
  options: Required<ReconnectOptions>,
  random: () => number,
): number {
  const growth = options.exponentialBackoff ? 2 ** (attempt - 1) : 1;
  return Math.round(random() * Math.min(options.delayMs * growth, Math.max(CEILING_MS, options.delayMs)));
}
