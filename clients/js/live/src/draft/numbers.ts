/** The numbers of a generation's updates: whether one is missing, and for how long. Two may come in the other order. */

/** A hole that fills within this is none. */
const HOLE_MS = 1000;

export class UpdateNumbers {
  /** The last one up to which none is missing; null until a sync tells. */
  private have: number | null = null;
  private readonly ahead = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onHole: () => void) {}

  /** A sync was asked for: its answer holds whatever came before. */
  asked(): void {
    this.have = null;
    this.ahead.clear();
    this.stop();
  }

  /** The sync's answer holds everything up to `number`. */
  synced(number: number): void {
    this.have = number;
    this.advance();
  }

  heard(number: number): void {
    this.ahead.add(number);
    if (this.have !== null) this.advance();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private advance(): void {
    let have = this.have ?? 0;
    while (this.ahead.has(have + 1)) have += 1;
    this.have = have;
    for (const number of this.ahead) if (number <= have) this.ahead.delete(number);
    if (this.ahead.size === 0) this.stop();
    else this.timer ??= setTimeout(() => this.onHole(), HOLE_MS);
  }
}
