/** Calls back once per animation frame, however often it is asked: what keeps fast tokens from slow renders. */

/** Where there are no frames (a hidden tab, Node), this often. */
const HIDDEN_MS = 200;
const NO_FRAMES_MS = 16;

export class FrameScheduler {
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending = false;

  readonly #callback: () => void;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  schedule(): void {
    if (this.#pending) return;
    this.#pending = true;
    if (typeof requestAnimationFrame === "function") {
      this.#frame = requestAnimationFrame(() => this.#run());
      this.#timer = setTimeout(() => this.#run(), HIDDEN_MS);
    } else {
      this.#timer = setTimeout(() => this.#run(), NO_FRAMES_MS);
    }
  }

  /** At once, if anything is pending. */
  flush(): void {
    if (this.#pending) this.#run();
  }

  cancel(): void {
    this.#pending = false;
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = this.#timer = undefined;
  }

  #run(): void {
    this.cancel();
    this.#callback();
  }
}
