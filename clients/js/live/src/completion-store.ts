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

export interface CompletionState {
  /** The stream's own state; null before the server has started it. */
  readonly stream: StreamState | null;
  readonly content: string;
  readonly isStreaming: boolean;
  readonly tokensPerSecond: number;
  readonly error: LiveError | null;
}

export interface CompletionListeners {
  onToken?: ((token: string) => void) | undefined;
  onComplete?: ((text: string) => void) | undefined;
}

const NOTHING: CompletionState = {
  stream: null,
  content: "",
  isStreaming: false,
  tokensPerSecond: 0,
  error: null,
};

export class CompletionStore {
  private shown = NOTHING;
  private live: LiveStream<StreamEvent> | null = null;
  private last: StreamRequest | null = null;
  private error: LiveError | null = null;
  private running = false;
  private readonly subscribers = new Set<() => void>();
  private readonly frames = new FrameScheduler(() => this.show());

  private listeners: CompletionListeners = {};

  constructor(private readonly client: HanzoLiveClient) {}

  /** From now on, these are called. */
  setListeners(listeners: CompletionListeners): void {
    this.listeners = listeners;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.subscribers.add(listener);
    return () => this.subscribers.delete(listener);
  };

  readonly getSnapshot = (): CompletionState => this.shown;

  /** Asks; an answer still being written is stopped first. Resolves when the answer has ended. Never rejects. */
  async start(request: StreamRequest): Promise<void> {
    await this.halt();
    const live = this.client.stream({ ...request, events: true });
    this.live = live;
    this.last = request;
    this.error = null;
    this.running = true;
    this.show();
    await this.follow(live);
  }

  /** Asks the last question again. */
  async retry(): Promise<void> {
    if (this.last) await this.start(this.last);
  }

  readonly stop = async (): Promise<void> => {
    try {
      await this.live?.stop();
    } catch (reason) {
      this.error = LiveError.from(reason);
      this.frames.schedule();
    }
  };

  /** Nobody looks any more: ends the answer, and what is known stays. */
  async halt(): Promise<void> {
    const live = this.live;
    this.live = null;
    this.frames.cancel();
    if (live && !live.isOver) await live.stop().catch(() => undefined);
  }

  private async follow(live: LiveStream<StreamEvent>): Promise<void> {
    try {
      for await (const event of live) {
        if (live !== this.live) return;
        if (event.type === "token") this.listeners.onToken?.(event.data);
        if (event.type === "complete") this.listeners.onComplete?.(live.state?.content ?? "");
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
    const stream = this.live?.state ?? this.shown.stream;
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
