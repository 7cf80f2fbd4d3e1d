import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EMPTY_LOG, foldLog, LogPosition, type LogEvent, type LogState, type StreamState } from "../src";
import { fixture, fixtureNames } from "./support/fixtures";
import { TestLog, type Entry } from "./support/log";
import { complete, start, token } from "./support/server";

const entry = fc.oneof(
  { weight: 10, arbitrary: fc.string({ minLength: 1, maxLength: 4 }).map((text) => token("s", text)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(2), fc.string({ minLength: 1, maxLength: 4 }))
      .map(([step, data]): Entry => ({ type: "thought", stream: "s", step, data, n: 1 })),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Entry>({ type: "reset", stream: "s", reason: "The worker was lost." }),
  },
  {
    weight: 2,
    arbitrary: fc.string({ maxLength: 3 }).map((args_delta): Entry => ({
      type: "tool_call",
      stream: "s",
      call: "c",
      tool: "search",
      args: null,
      args_delta,
      status: "streaming",
      user: null,
    })),
  },
);

/** What a frame's way can do to it: everything a network, a group and a merging hub can. */
const fate = fc.record({
  /** How many more logged events are merged into this frame. */
  merge: fc.nat(5),
  lost: fc.boolean(),
  twice: fc.boolean(),
  /** Before it, the connection breaks; on return the log may be in a new epoch. */
  cut: fc.constantFrom("no", "no", "no", "cut", "epoch"),
});

/** What all logged events amount to; figures that depend on when frames came are left out. */
function outcome(state: LogState): unknown {
  return Object.values(state.streams).map(
    ({ id, status, content, thoughts, toolCalls, finishReason }: StreamState) => ({
      id,
      status,
      content,
      thoughts,
      toolCalls,
      finishReason,
    }),
  );
}

describe("a reader of a log", () => {
  it("ends with what the log says, whatever is merged, lost, doubled or cut", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.array(fate, { minLength: 1 }), (entries, fates) => {
        const log = new TestLog("stream:s");
        for (const each of [start("s"), ...entries, complete("s")]) log.append(each);
        const reader = new Reader(log);
        let sent = 0;
        for (let turn = 0; sent < log.head; turn++) {
          const { merge, lost, twice, cut } = fates[turn % fates.length] as (typeof fates)[number];
          if (cut !== "no") reader.reconnect(cut === "epoch", sent);
          const upto = Math.min(log.head, sent + 1 + merge);
          const frames = log.merged(sent, upto);
          sent = upto;
          if (!lost) for (const frame of twice ? [...frames, ...frames] : frames) reader.receive(frame, sent);
        }
        // A lost last event is found by the next look at the head.
        reader.reconnect(false, log.head);
        expect(outcome(reader.state)).toEqual(outcome(log.state()));
        const text = log.events.reduce((all, event) => {
          if (event.type === "reset") return "";
          return event.type === "token" ? all + event.data : all;
        }, "");
        expect(reader.state.streams["s"]?.content).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("holds a snapshot plus the events after it to be the next snapshot", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(30), (entries, at) => {
        const log = new TestLog("stream:s");
        const all = [start("s"), ...entries, complete("s")];
        let state = EMPTY_LOG;
        let begun = false;
        all.forEach((each, index) => {
          const event = log.append(each);
          if (begun) state = foldLog(state, event);
          if (index !== Math.min(at, all.length - 1)) return;
          begun = true;
          state = foldLog(EMPTY_LOG, log.snapshot());
        });
        expect(outcome(state)).toEqual(outcome(log.state()));
      }),
    );
  });

  it("writes down why a reply failed, after what it holds besides", () => {
    const message = fixture<{ message: object }>("event.message").message;
    const log = new TestLog("session:p");
    const why = { code: "node_error", message: "The node failed.", retryable: true } as const;
    log.append({ type: "message", message: { ...message, id: "r", stream: "s", status: "queued" } } as Entry);
    log.append({ ...start("s"), message: "r" } as Entry);
    log.append({ type: "thought", stream: "s", step: 0, data: "Well", n: 1 });
    log.append({ type: "error", stream: "s", ...why, partial: true, usage: null });
    expect(log.state().messages[0]).toMatchObject({
      status: "failed",
      parts: [
        { type: "reasoning", text: "Well" },
        { type: "error", ...why },
      ],
    });
  });

  it("shows what a running tool tells of itself until it has its result", () => {
    const call: Entry = {
      type: "tool_call",
      stream: "s",
      call: "c",
      tool: "dig",
      args: {},
      status: "running",
      user: null,
    };
    const dug = { call: "c", progress: 1, total: 4, message: "Layer 1 of 4" };
    const log = new TestLog("session:x");
    for (const entry of [start("s"), call]) log.append(entry);
    let state = log.state();
    const progress: LogEvent = {
      ...fixture<Extract<LogEvent, { type: "progress" }>>("event.progress"),
      log: "session:x",
      stream: "s",
      phase: "tool",
      tools: [dug, { ...dug, call: "unknown" }],
    };
    state = foldLog(state, progress);
    expect(state.streams["s"]?.toolProgress).toEqual([dug]);
    state = foldLog(
      state,
      log.append({ type: "tool_result", stream: "s", call: "c", result: "a coin", error: null, duration_ms: 1 }),
    );
    expect(state.streams["s"]?.toolProgress).toEqual([]);
    expect(foldLog(state, progress).streams["s"]?.toolProgress).toEqual([]);
  });

  it("applies every event of the contract, and ignores what it does not know", () => {
    let state = foldLog(EMPTY_LOG, fixture<LogEvent>("event.snapshot"));
    for (const name of fixtureNames("event.")) {
      if (name !== "event.goaway") state = foldLog(state, fixture<LogEvent>(name));
    }
    const unknown = { type: "confetti", log: "session:x", seq: 99 } as unknown as LogEvent;
    expect(foldLog(state, unknown)).toBe(state);
  });
});

/** A reader and the server's answers to its `subscribe`. */
class Reader {
  state: LogState = EMPTY_LOG;
  private readonly position = new LogPosition();
  private epoch = 1;

  constructor(private readonly log: TestLog) {
    this.subscribe(0);
  }

  receive(event: LogEvent, head: number): void {
    const verdict = this.position.take(event);
    if (verdict === "apply") this.state = foldLog(this.state, event);
    else if (verdict === "gap") this.subscribe(head);
  }

  reconnect(newEpoch: boolean, head: number): void {
    if (newEpoch) this.log.epoch = `e${++this.epoch}`;
    this.subscribe(head);
  }

  private subscribe(head: number): void {
    const have = this.position.have();
    this.position.suspend();
    const behind = new TestLog(this.log.name);
    behind.epoch = this.log.epoch;
    behind.events.push(...this.log.events.slice(0, head));
    const replay = "seq" in have && have.epoch === this.log.epoch;
    this.position.resume({ mode: replay ? "replay" : "snapshot", epoch: this.log.epoch, seq: head });
    const frames = replay ? behind.merged(have.seq) : [behind.snapshot()];
    for (const frame of frames) this.receive(frame, head);
  }
}
