/** Who reads a stream, and whether it has to wait for them. */

/** One that reads; `unread` is about how many characters are kept for it. */
export interface Reader {
  unread(): number;
}

/** So much kept for whoever is furthest holds the stream back, until there is less than the lower one. */
const TOO_MUCH = 64 * 1024;
const LITTLE = 16 * 1024;

export class Readers {
  readonly #all = new Set<Reader>();
  #held = false;

  readonly #hold: (held: boolean) => void;

  constructor(
    /** Asks for no more events, or for those that were held back. */
    hold: (held: boolean) => void,
  ) {
    this.#hold = hold;
  }

  add(reader: Reader): void {
    this.#all.add(reader);
    this.balance();
  }

  remove(reader: Reader): void {
    this.#all.delete(reader);
    this.balance();
  }

  /** To be called when something was kept, or read. Where nobody reads, nothing is held back. */
  balance(): void {
    let least = Infinity;
    for (const reader of this.#all) least = Math.min(least, reader.unread());
    const held = this.#all.size > 0 && least > (this.#held ? LITTLE : TOO_MUCH);
    if (held === this.#held) return;
    this.#held = held;
    this.#hold(held);
  }
}
