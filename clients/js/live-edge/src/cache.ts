/**
 * How streams ended, kept in KV: what is over does not change, so that it does not matter when KV shows it where.
 * Asked only for viewers whose right to the log the server has just confirmed.
 */

import type { SnapshotState } from "@hanzo/live-client";
import type { KeyValue } from "./workers";

const KEEP_S = 3_600;
/** KV takes 25 MiB; what is larger than this is asked of the server. */
const MOST_CHARS = 1_000_000;

interface Ended {
  epoch: string;
  seq: number;
  state: SnapshotState;
}

export class Cache {
  constructor(
    private readonly kv: KeyValue | undefined,
    /** Streams of different servers are different ones. */
    private readonly upstream: string,
  ) {}

  /** What answers a `subscribe` to `log`: the `ok`, and the snapshot where it is wanted; null where nothing is kept. */
  async answer(log: string, { id, epoch, seq, show_thoughts }: Record<string, unknown>): Promise<string[] | null> {
    if (!this.kv || !log.startsWith("stream:")) return null;
    try {
      const text = await this.kv.get(this.key(log));
      if (text === null) return null;
      const ended = JSON.parse(text) as Ended;
      const ok = { type: "ok", id, log, epoch: ended.epoch, seq: ended.seq };
      if (epoch === ended.epoch && seq === ended.seq) return [JSON.stringify({ ...ok, mode: "live" })];
      // Somebody in the middle of it is better served by the object, which may have what follows.
      if (epoch != null && seq != null) return null;
      const streams = ended.state.streams.map((stream) => (show_thoughts === true ? stream : { ...stream, thoughts: [] }));
      const snapshot = { type: "snapshot", log, ...ended, state: { ...ended.state, streams } };
      return [JSON.stringify({ ...ok, mode: "snapshot" }), JSON.stringify(snapshot)];
    } catch (reason) {
      console.warn("KV could not be read; the log's object is asked:", reason);
      return null;
    }
  }

  /** Keeps the snapshot (with its thoughts) of a stream that is over. */
  async keep(log: string, { epoch, seq, state }: Record<string, unknown>): Promise<void> {
    const text = JSON.stringify({ epoch, seq, state });
    if (!this.kv || text.length > MOST_CHARS) return;
    try {
      await this.kv.put(this.key(log), text, { expirationTtl: KEEP_S });
    } catch (reason) {
      console.warn("KV could not be written:", reason);
    }
  }

  private key(log: string): string {
    return `${this.upstream} ${log}`;
  }
}
