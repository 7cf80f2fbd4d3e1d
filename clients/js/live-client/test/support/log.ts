/** A log as a server holds it, with merging as the wire does it. For tests of readers. */

import { foldLog, EMPTY_LOG, isOver, type LogState } from "../../src";
import type { LogEvent, SnapshotEvent, SnapshotState, StreamState } from "../../src";

export type Logged = Extract<LogEvent, { seq: number; ts: number }> & {
  type: Exclude<LogEvent["type"], "snapshot">;
};

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What a test writes: the log adds `log`, `seq` and `ts`. */
export type Entry = DistributiveOmit<Logged, "log" | "seq" | "ts" | "prev">;

export class TestLog {
  readonly events: Logged[] = [];
  epoch = "e1";

  constructor(
    readonly name: string,
    private readonly base: LogState = EMPTY_LOG,
  ) {}

  get head(): number {
    return this.events.length;
  }

  append(entry: Entry): Logged {
    const seq = this.events.length + 1;
    const event = { ...entry, log: this.name, seq, ts: 1_000_000 + seq * 50 } as Logged;
    this.events.push(event);
    return event;
  }

  /** The events in (after, upto], neighbours of one kind and stream merged. */
  merged(after: number, upto = this.head): Logged[] {
    const frames: Logged[] = [];
    for (const event of this.events.slice(after, upto)) {
      const last = frames.at(-1);
      const merges =
        last &&
        ((event.type === "token" && last.type === "token" && last.stream === event.stream) ||
          (event.type === "thought" &&
            last.type === "thought" &&
            last.stream === event.stream &&
            last.step === event.step));
      if (merges) {
        const whole = { ...last, data: last.data + event.data, n: last.n + event.n };
        frames[frames.length - 1] = {
          ...whole,
          seq: event.seq,
          ts: event.ts,
          prev: last.prev ?? last.seq - 1,
        };
      } else {
        frames.push({ ...event, prev: event.seq - 1 });
      }
    }
    return frames;
  }

  state(): LogState {
    return this.events.reduce<LogState>(foldLog, this.base);
  }

  snapshot(tail = 50): SnapshotEvent {
    return {
      type: "snapshot",
      log: this.name,
      epoch: this.epoch,
      seq: this.head,
      state: snapshotOf(this.state(), this.name, tail),
    };
  }
}

function snapshotOf(state: LogState, log: string, tail: number): SnapshotState {
  return {
    session: state.session,
    members: [...state.members],
    messages: state.messages.slice(-tail),
    has_more: state.hasMore || state.messages.length > tail,
    streams: Object.values(state.streams)
      .filter((stream) => !isOver(stream.status) || log === `stream:${stream.id}`)
      .map(streamShape),
  };
}

function streamShape(stream: StreamState): SnapshotState["streams"][number] {
  return {
    id: stream.id,
    message: stream.message,
    status: stream.status,
    content: stream.content,
    thoughts: [...stream.thoughts],
    tool_calls: [...stream.toolCalls],
    usage: stream.usage,
    finish_reason: stream.finishReason,
    error: stream.error,
  };
}
