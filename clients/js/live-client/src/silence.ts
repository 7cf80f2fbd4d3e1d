/** Notices that the other side fell silent: asks after a while, and gives up where nothing comes back. */

import type { Environment, Timer } from "./environment";

/** How long after having asked. */
const GRACE_MS = 8_000;

export class SilenceWatch {
  private timer: Timer | undefined;
  private intervalMs: number | null = null;

  constructor(
    private readonly environment: Environment,
    /** Asks the other side for a sign of life. */
    private readonly ask: () => void,
    private readonly giveUp: () => void,
  ) {}

  /** From now on, `intervalMs` of silence is too much. */
  start(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.heard();
  }

  /** Anything that arrives proves that the other side is there. */
  heard(): void {
    if (this.intervalMs !== null) this.set(this.intervalMs, () => this.probe());
  }

  /** Asks at once. */
  probe(): void {
    if (this.intervalMs === null) return;
    this.set(GRACE_MS, this.giveUp);
    this.ask();
  }

  stop(): void {
    this.intervalMs = null;
    if (this.timer !== undefined) this.environment.clearTimer(this.timer);
    this.timer = undefined;
  }

  private set(ms: number, callback: () => void): void {
    if (this.timer !== undefined) this.environment.clearTimer(this.timer);
    this.timer = this.environment.setTimer(callback, ms);
  }
}
