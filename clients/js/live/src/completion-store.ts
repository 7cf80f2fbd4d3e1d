/** One answer at a time, framework-free: starts it, follows it, tells at most once a frame. */

import {
  FrameScheduler,
  LiveError,
  type HanzoLiveClient,
  type LiveStream,
  type StreamEvent,
  type StreamRequest,
  type StreamState,
} from "@hanzo/live-client";

/** What is asked: a prompt, or a whole request. */
export type Input = string | StreamRequest;

export interface CompletionState {
  /** The stream's own state; null before the server has started it. */
  readonly stream: StreamState | null;
  readonly content: string;
  readonly isStreaming: boolean;
  /** 0 until it can be told. */
  readonly tokensPerSecond: number;
  readonly error: LiveError | null;
}

export interface CompletionListeners {
  onToken?: ((token: string) => void) | undefined;
  onComplete?: ((text: string) => void) | undefined;
}

export interface CompletionSettings extends CompletionListeners {
  /** What a request asks for where it does not say itself. */
  defaults?: StreamRequest;
}

export const NO_COMPLETION: CompletionState = {
  stream: null,
  content: "",
  isStreaming: false,
  tokensPerSecond: 0,
  error: null,
};

export class CompletionStore {
  private shown = NO_COMPLETION;
  private live: LiveStream<StreamEvent> | null = null;
  private last: StreamRequest | null = null;
  private error: LiveError | null = null;
  private running = false;
  private readonly subscribers = new Set<() => void>();
  private readonly frames = new FrameScheduler(() => this.show());
  private settings: CompletionSettings = {};

  constructor(
    readonly client: HanzoLiveClient,
    /** Hears of each answer when it is asked for. */
    private readonly asked: (store: CompletionStore) => void = () => undefined,
  ) {}

  /** From now on, these hold. */
  configure(settings: CompletionSettings): void {
    this.settings = settings;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.subscribers.add(listener);
    return () => this.subscribers.delete(listener);
  };

  readonly getSnapshot = (): CompletionState => this.shown;

  /** Asks; an answer still being written is stopped. Resolves when the new one has ended. Never rejects. */
  readonly start = async (input: Input): Promise<void> => {
    const request = typeof input === "string" ? { content: input } : input;
    this.end();
    this.last = { ...this.settings.defaults, ...request };
    const live = this.client.stream({ ...this.last, events: true });
    this.live = live;
    this.error = null;
    this.running = true;
    this.show();
    this.asked(this);
    await this.follow(live);
  };

  /** Asks the last question again. */
  readonly retry = async (): Promise<void> => {
    if (this.last) await this.start(this.last);
  };

  /** Ends the answer; what was written stays. Never rejects: a failure shows as `error`. */
  readonly stop = async (): Promise<void> => {
    try {
      await this.live?.stop();
    } catch (reason) {
      this.fail(reason);
    }
  };

  /** Shows what went wrong beside the answer. */
  fail(reason: unknown): void {
    this.error = LiveError.from(reason);
    this.frames.schedule();
  }

  /** Nobody looks any more: ends the answer, and what is known stays. */
  halt(): void {
    if (!this.running) return;
    this.end();
    this.running = false;
    this.show();
  }

  private end(): void {
    const { live } = this;
    this.live = null;
    // The stop is on its way to a server that may not answer: nobody is left to be told.
    if (live && !live.isOver) live.stop().catch(() => undefined);
  }

  private async follow(live: LiveStream<StreamEvent>): Promise<void> {
    try {
      for await (const event of live) {
        if (live !== this.live) return;
        if (event.type === "token") this.settings.onToken?.(event.data);
        if (event.type === "complete") this.settings.onComplete?.(live.state?.content ?? "");
        if (event.type === "error") this.error = LiveError.fromWire(event, { stream: event.stream });
        this.frames.schedule();
      }
    } catch (reason) {
      if (live === this.live) this.error = LiveError.from(reason);
    }
    if (live !== this.live) return;
    this.running = false;
    this.show();
  }

  private show(): void {
    this.frames.cancel();
    const stream = this.live ? this.live.state : this.shown.stream;
    this.shown = {
      stream,
      content: stream?.content ?? "",
      isStreaming: this.running,
      tokensPerSecond: stream?.tokensPerSecond ?? 0,
      error: this.error,
    };
    for (const listener of [...this.subscribers]) listener();
  }
}
