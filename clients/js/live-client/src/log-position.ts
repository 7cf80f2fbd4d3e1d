/**
 * Where a reader stands in a log, and what to do with the next frame. Pure; knows no socket.
 * The rules are the protocol's "Order, gaps, merging".
 */

import type { LogEvent, SubscribeOk } from "./protocol.generated";

/** `apply` it, `drop` it (had it already, or it belongs to an older subscription), or re-subscribe: there is a `gap`. */
export type Verdict = "apply" | "drop" | "gap";

/** Events whose content is added to what is there: half of a merged one cannot be applied. */
function accumulates(event: LogEvent): boolean {
  return (
    event.type === "token" ||
    event.type === "thought" ||
    (event.type === "tool_call" && event.args_delta != null)
  );
}

export class LogPosition {
  epoch: string | null = null;
  /** The last event had; -1 before anything is known. */
  seq = -1;
  /** Frames are dropped while a `subscribe` is on its way, or its snapshot. */
  #waiting: "ok" | "snapshot" | null = "ok";

  /** A `subscribe` was sent, or the connection is gone: nothing counts until the `ok`. */
  suspend(): void {
    this.#waiting = "ok";
  }

  /** The `ok` of `subscribe`. */
  resume(ok: Pick<SubscribeOk, "mode" | "epoch" | "seq">): void {
    this.#waiting = ok.mode === "snapshot" ? "snapshot" : null;
    // `live` starts at the head; `replay` is followed by everything after what we had.
    if (ok.mode !== "live") return;
    this.epoch = ok.epoch;
    this.seq = ok.seq;
  }

  /** The position is of no use any more: the next `subscribe` asks for a snapshot. */
  forget(): void {
    this.epoch = null;
    this.seq = -1;
    this.#waiting = "ok";
  }

  /** What `subscribe` says of it; nothing where a snapshot is wanted. */
  have(): { epoch: string; seq: number } | Record<string, never> {
    return this.epoch !== null && this.seq >= 0 ? { epoch: this.epoch, seq: this.seq } : {};
  }

  /** What to do with `event`; `apply` has moved the position. */
  take(event: LogEvent): Verdict {
    if (event.type === "unsubscribed") return "apply";
    if (this.#waiting === "ok") return "drop";
    if (event.type === "snapshot") {
      this.#waiting = null;
      this.epoch = event.epoch;
      this.seq = event.seq;
      return "apply";
    }
    if (!("seq" in event)) return "apply";
    const { seq } = event;
    if (this.seq < 0 || this.#waiting === "snapshot" || seq <= this.seq) return "drop";
    const prev = event.prev ?? seq - 1;
    if (prev > this.seq || (prev < this.seq && accumulates(event))) return "gap";
    this.seq = seq;
    return "apply";
  }
}
