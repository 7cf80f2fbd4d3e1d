/**
 * One's own edits that the server has not taken yet, oldest first, and their way to it: gathered, one update at a time,
 * at a bounded rate. What to do about a refusal that waiting does not mend is the store's.
 */

import { LiveError } from "@hanzo/live-client";
import * as Y from "yjs";
import { inParts, MAX_UPDATE_BYTES } from "./parts";

/** Edits within this are one update: the server takes forty a second from a socket. */
const GATHER_MS = 50;
const RETRY_MS = 1000;

export interface OutboxLink {
  /** Rejects with a LiveError. */
  transmit(update: Uint8Array): Promise<void>;
  /** Whether anything may be sent now. */
  isClear(): boolean;
  /** Sent in vain, and trying again will not help by itself. */
  refused(error: LiveError): void;
  changed(): void;
}

export class Outbox {
  private updates: Uint8Array[] = [];
  /** So many of them were on their way when the connection went: nobody knows whether they arrived. */
  private unsure = 0;
  private running = false;
  private nextAt = 0;

  constructor(private readonly link: OutboxLink) {}

  get isEmpty(): boolean {
    return this.updates.length === 0;
  }

  get all(): readonly Uint8Array[] {
    return this.updates;
  }

  /** Those that the server may have, though it did not say so. */
  get maybeSent(): readonly Uint8Array[] {
    return this.updates.slice(0, this.unsure);
  }

  get neverSent(): readonly Uint8Array[] {
    return this.updates.slice(this.unsure);
  }

  add(update: Uint8Array): void {
    this.updates = [...this.updates, ...inParts(update)];
    this.run();
  }

  /** Everything that has to be sent is in `update`. */
  replace(update: Uint8Array): void {
    this.updates = inParts(update);
    this.unsure = 0;
  }

  /** Sends what is there, as soon and for as long as the way is clear. */
  run(): void {
    if (!this.running) void this.sendAll();
    this.link.changed();
  }

  /** The page goes: sends what is there without waiting for an answer. Whether it arrives is not known. */
  hurry(): void {
    if (this.isEmpty || !this.link.isClear()) return;
    this.unsure = this.updates.length;
    for (let rest = this.updates; rest.length > 0;) {
      const batch = batchOf(rest);
      rest = rest.slice(batch.length);
      // The answer comes too late for this page.
      this.link.transmit(Y.mergeUpdates(batch)).catch(() => undefined);
    }
  }

  private async sendAll(): Promise<void> {
    this.running = true;
    while (!this.isEmpty && this.link.isClear()) {
      const wait = this.nextAt - Date.now();
      if (wait > 0) {
        await pause(wait);
        continue;
      }
      this.nextAt = Date.now() + GATHER_MS;
      const batch = batchOf(this.updates);
      try {
        await this.link.transmit(Y.mergeUpdates(batch));
        this.updates = this.updates.filter((update) => !batch.includes(update));
        this.unsure = Math.max(0, this.unsure - batch.length);
        this.link.changed();
      } catch (reason) {
        const error = LiveError.from(reason);
        if (error.code === "DISCONNECTED") this.unsure = Math.max(this.unsure, batch.length);
        if (error.code === "DISCONNECTED" || !error.retryable) {
          this.running = false;
          this.link.refused(error);
          return;
        }
        this.nextAt = Date.now() + (error.retryAfter === null ? RETRY_MS : error.retryAfter * 1000);
      }
    }
    this.running = false;
  }
}

/** As many of the first as go into one update. */
function batchOf(updates: readonly Uint8Array[]): Uint8Array[] {
  let bytes = 0;
  const end = updates.findIndex((update) => (bytes += update.length) > MAX_UPDATE_BYTES);
  return updates.slice(0, end < 0 ? undefined : Math.max(1, end));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
