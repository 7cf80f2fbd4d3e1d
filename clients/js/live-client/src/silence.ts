/** Notices that the other side fell silent: asks after a while, and gives up where nothing comes back. */

import type { Environment, Timer } from "./environment";

/** How long after having asked. */
const GRACE_MS = 8_000;

/** The same where there is a reason to think that nothing will come. */
const DOUBT_MS = 2_500;

export class SilenceWatch {
  #timer: Timer | undefined;
  #intervalMs: number | null = null;
  /** The question whose answer alone ends a doubt. */
  #doubt: Promise<unknown> | null = null;
  readonly #environment: Environment;
  readonly #ask: () => Promise<unknown>;
  readonly #giveUp: () => void;

  constructor(
    environment: Environment,
    /** Asks the other side for a sign of life, which settles the result. */
    ask: () => Promise<unknown>,
    giveUp: () => void,
  ) {
    this.#environment = environment;
    this.#ask = ask;
    this.#giveUp = giveUp;
  }

  /** From now on, `intervalMs` of silence is too much. */
  start(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.heard();
  }

  /** Anything that arrives proves that the other side is there; in doubt, it may have been on its way already. */
  heard(): void {
    if (this.#intervalMs !== null && this.#doubt === null) this.#set(this.#intervalMs, () => this.probe());
  }

  /** Asks at once. */
  probe(): void {
    if (this.#intervalMs === null || this.#doubt !== null) return;
    this.#set(GRACE_MS, this.#giveUp);
    this.#ask().catch(() => undefined);
  }

  /** Asks at once, and waits only shortly: the network is said to be gone. */
  probeInDoubt(): void {
    if (this.#intervalMs === null || this.#doubt !== null) return;
    this.#set(DOUBT_MS, this.#giveUp);
    const question = this.#ask();
    this.#doubt = question;
    question.then(
      () => {
        if (this.#doubt !== question) return;
        this.#doubt = null;
        this.heard();
      },
      () => undefined,
    );
  }

  stop(): void {
    this.#intervalMs = null;
    this.#doubt = null;
    if (this.#timer !== undefined) this.#environment.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #set(ms: number, callback: () => void): void {
    if (this.#timer !== undefined) this.#environment.clearTimer(this.#timer);
    this.#timer = this.#environment.setTimer(callback, ms);
  }
}
