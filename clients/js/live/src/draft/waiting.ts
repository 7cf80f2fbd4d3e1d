/** Waits for conditions: they are looked at when something may have changed, and given up together. */

import type { LiveError } from "@hanzo/live-client";

interface Waiter {
  isMet: () => boolean;
  resolve: () => void;
  reject: (error: LiveError) => void;
}

export class Waiting {
  private waiters: Waiter[] = [];

  /** Resolves once a look finds that `isMet`; rejects with a LiveError where it is given up. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => this.waiters.push({ isMet, resolve, reject }));
  }

  /** Whoever's condition is met goes on; with `lost` the others are given up. */
  look(lost: LiveError | null): void {
    this.waiters = this.waiters.filter(({ isMet, resolve, reject }) => {
      if (isMet()) resolve();
      else if (lost) reject(lost);
      else return true;
      return false;
    });
  }

  fail(error: LiveError): void {
    for (const { reject } of this.waiters.splice(0)) reject(error);
  }
}
