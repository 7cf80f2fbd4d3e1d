/**
 * One log as the edge has it: its newest events, and what all of them amount to. Pure; `session.ts` feeds it.
 * Order, gaps and duplicates are judged by the client's own `LogPosition`, folding is the client's own `foldLog`.
 */

import {
  EMPTY_LOG,
  foldLog,
  isOver,
  LogPosition,
  merged,
  type LogEvent,
  type LogState,
  type StreamEvent,
  type SubscribeOk,
  type Verdict,
} from "@hanzo/live-client";
import { snapshotState } from "./snapshot";

/** Events that are kept one by one, and characters in them; whoever is further behind gets a snapshot. */
const KEPT_EVENTS = 4_096;
const KEPT_CHARS = 512 * 1024;
/** Messages that a snapshot may be asked for. */
const KEPT_MESSAGES = 200;
/** As the server splits them. */
const MOST_MERGED_CHARS = 200_000;

/** An event that is in the log, for it has a `seq`. */
export type Logged = Extract<LogEvent, { seq: number; ts: number }>;

interface Kept {
  readonly event: Logged;
  readonly prev: number;
  readonly chars: number;
}

/** What is written down of a copy, and read back. */
export interface Saved {
  readonly epoch: string;
  readonly seq: number;
  readonly state: LogState | null;
  readonly kept: readonly Kept[];
  readonly floor: number;
}

export interface Frame {
  readonly text: string;
  /** Where the viewer is once it has it. */
  readonly seq: number;
}

export class LogCopy {
  readonly position = new LogPosition();
  /** As of `position`; null where only what came since `floor` is known. */
  private state: LogState | null = null;
  private kept: Kept[] = [];
  private chars = 0;
  private floor = -1;
  private current = false;
  /** Where the server said that the log is; what is not here of that is on its way. */
  private promised = -1;

  constructor(readonly log: string) {}

  get epoch(): string | null {
    return this.position.epoch;
  }

  /** The last event had; -1 where nothing is known. */
  get head(): number {
    return this.position.seq;
  }

  /** Whether it follows the log: false while the feed is away, or a snapshot is on its way. */
  get isCurrent(): boolean {
    return this.current || this.isOver;
  }

  /** Whether `seq` is in the log and not here yet. */
  isDue(seq: number): boolean {
    return seq > this.head && seq <= this.promised;
  }

  /** Whether there is a snapshot to give. */
  get isWhole(): boolean {
    return this.state !== null;
  }

  /** Whether this is a stream's own log, and the stream has ended: nothing more comes. */
  get isOver(): boolean {
    if (!this.log.startsWith("stream:") || !this.state) return false;
    const stream = this.state.streams[this.log.slice("stream:".length)];
    return stream !== undefined && isOver(stream.status);
  }

  /** From here on. Whatever was before is unknown, but for a stream's own log, which has nothing before its first event. */
  begin(epoch: string, seq: number): void {
    this.position.resume({ mode: "live", epoch, seq });
    this.state = seq === 0 && this.log.startsWith("stream:") ? EMPTY_LOG : null;
    this.current = true;
    this.clear(seq);
  }

  /** The feed is gone, or has been asked anew: what it still sends is not to be counted on. */
  suspend(): void {
    this.position.suspend();
    this.current = false;
  }

  /** The server goes on feeding us, as its `ok` says. */
  resume(ok: Pick<SubscribeOk, "mode" | "epoch" | "seq">): void {
    this.position.resume(ok);
    this.current = ok.mode !== "snapshot";
    this.promised = ok.seq;
    if (ok.mode === "live" && this.floor < 0) this.clear(ok.seq);
  }

  /** What to do about `event`; `apply` has taken it in. */
  take(event: LogEvent): Verdict {
    const before = this.head;
    const verdict = this.position.take(event);
    if (verdict !== "apply" || event.type === "unsubscribed") return verdict;
    if (event.type === "snapshot") {
      this.current = true;
      const { present = {}, presentTotal = null, summarised = false } = this.state ?? {};
      this.state = foldLog({ ...EMPTY_LOG, present, presentTotal, summarised }, event);
      this.clear(event.seq);
      return verdict;
    }
    if (this.state) this.state = bounded(this.log, foldLog(this.state, event));
    if ("seq" in event) this.keep(event, before);
    return verdict;
  }

  /** The frames that bring a viewer from `seq` here, merged; null where that is too far back. */
  since(seq: number, showThoughts: boolean): Frame[] | null {
    if (this.floor < 0 || seq < this.floor || seq > this.head) return null;
    const frames: Frame[] = [];
    let run: Logged | null = null;
    let told = seq;
    const end = () => {
      if (run) frames.push(frameOf(run));
    };
    for (const { event, prev } of this.kept) {
      if (event.seq <= seq) continue;
      if (prev < seq) return null;
      if (event.type === "thought" && !showThoughts) continue;
      const next = { ...event, prev: told };
      const both: Logged | null = run && mergeable(run) ? (merged(run as StreamEvent, next as StreamEvent)) : null;
      if (!both) end();
      run = both ?? next;
      told = event.seq;
    }
    end();
    return frames;
  }

  /** How many tokens came after `seq`, where nothing but tokens and thoughts did; else null: something is not to wait. */
  tokensSince(seq: number): number | null {
    let count = 0;
    for (let at = this.kept.length - 1; at >= 0; at--) {
      const { event } = this.kept[at] as Kept;
      if (event.seq <= seq) break;
      if (event.type !== "token" && event.type !== "thought") return null;
      count += event.n;
    }
    return count;
  }

  /** All there is to show, as the server's own snapshot says it; null where that is not known. */
  snapshot(showThoughts: boolean, tail: number): Frame | null {
    if (!this.state || this.epoch === null) return null;
    const state = snapshotState(this.state, this.log, { showThoughts, tail });
    return {
      text: JSON.stringify({ type: "snapshot", log: this.log, epoch: this.epoch, seq: this.head, state }),
      seq: this.head,
    };
  }

  /** Who is here, as the server tells a newcomer; null where it does not tell. */
  presence(): string | null {
    if (!this.log.startsWith("session:") || !this.state || this.state.presentTotal === null) return null;
    const { present, presentTotal: total, summarised } = this.state;
    const event = { type: "presence", log: this.log, ts: Date.now(), users: Object.values(present), total };
    return JSON.stringify(summarised ? { ...event, summarised } : event);
  }

  save(): Saved | null {
    if (this.epoch === null || this.head < 0) return null;
    return { epoch: this.epoch, seq: this.head, state: this.state, kept: this.kept, floor: this.floor };
  }

  restore({ epoch, seq, state, kept, floor }: Saved): void {
    this.position.resume({ mode: "live", epoch, seq });
    this.state = state;
    this.clear(floor);
    for (const each of kept) this.push(each);
  }

  private keep(event: Logged, prev: number): void {
    // Skipped numbers are events that are for nobody here.
    this.push({ event, prev: Math.min(prev, event.prev ?? event.seq - 1), chars: JSON.stringify(event).length });
    while (this.kept.length > KEPT_EVENTS || this.chars > KEPT_CHARS) {
      const first = this.kept.shift();
      if (!first) break;
      this.chars -= first.chars;
      this.floor = first.event.seq;
    }
  }

  private push(each: Kept): void {
    this.kept.push(each);
    this.chars += each.chars;
  }

  private clear(floor: number): void {
    this.kept = [];
    this.chars = 0;
    this.floor = floor;
  }
}

function frameOf(event: Logged): Frame {
  const { prev, ...plain } = event;
  return { text: JSON.stringify(prev === event.seq - 1 ? plain : event), seq: event.seq };
}

function mergeable(event: Logged): boolean {
  return !("data" in event && typeof event.data === "string" && event.data.length >= MOST_MERGED_CHARS);
}

/** Without what no snapshot has: messages before the last ones, and in a session the streams that are over. */
function bounded(log: string, state: LogState): LogState {
  const over = log.startsWith("session:") && Object.values(state.streams).some(({ status }) => isOver(status));
  const streams = over
    ? Object.fromEntries(Object.entries(state.streams).filter(([, { status }]) => !isOver(status)))
    : state.streams;
  const many = state.messages.length > KEPT_MESSAGES;
  if (!over && !many) return state;
  return {
    ...state,
    streams,
    messages: state.messages.slice(-KEPT_MESSAGES),
    hasMore: state.hasMore || many,
  };
}
