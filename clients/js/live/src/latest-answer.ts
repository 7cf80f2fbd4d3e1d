/** The answer that was asked for last under one provider, whichever hook asked: what a component without a prompt shows. */

import { NO_COMPLETION, type CompletionState, type CompletionStore } from "./completion-store";

export class LatestAnswer {
  private store: CompletionStore | null = null;
  private leave: () => void = () => undefined;
  private readonly listeners = new Set<() => void>();

  /** From now on it is the one of `store`. */
  readonly follow = (store: CompletionStore): void => {
    if (store === this.store) return;
    this.leave();
    this.store = store;
    this.leave = this.listeners.size > 0 ? store.subscribe(this.tell) : () => undefined;
    this.tell();
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0 && this.store) this.leave = this.store.subscribe(this.tell);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.leave();
    };
  };

  readonly getSnapshot = (): CompletionState => this.store?.getSnapshot() ?? NO_COMPLETION;

  private readonly tell = (): void => {
    for (const listener of [...this.listeners]) listener();
  };
}
