/** What the edge has of a log gives every viewer the same, wherever they come in and however often they look. */

import { EMPTY_LOG, foldLog, LogPosition, type LogEvent, type LogState } from "@hanzo/live-client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LogCopy } from "../src/log-copy";

const LOG = "stream:s";
const base = { log: LOG, stream: "s" };

/** A stream's log: thoughts and tokens in any order, merged anyhow, and its end. */
const logs = fc
  .array(fc.record({ thought: fc.boolean(), n: fc.integer({ min: 1, max: 4 }), text: fc.string({ minLength: 1 }) }), {
    maxLength: 40,
  })
  .map((parts) => {
    let seq = 1;
    const events: LogEvent[] = [
      { ...base, type: "stream_start", seq, ts: 1, message: null, model: "m", requested_model: null, user: null, node: "local", cached: null },
    ];
    for (const { thought, n, text } of parts) {
      const common = { ...base, prev: seq, seq: seq + n, ts: seq, data: text, n };
      events.push(thought ? { ...common, type: "thought", step: 0 } : { ...common, type: "token" });
      seq += n;
    }
    return events;
  });

class Reader {
  state: LogState = EMPTY_LOG;
  readonly position = new LogPosition();

  take(text: string): void {
    const event = JSON.parse(text) as LogEvent;
    expect(this.position.take(event)).toBe("apply");
    this.state = foldLog(this.state, event);
  }
}

function fed(events: LogEvent[]): LogCopy {
  const copy = new LogCopy(LOG);
  copy.begin("e", 0);
  for (const event of events) expect(copy.take(event)).toBe("apply");
  return copy;
}

test("whoever reads on from anywhere has the whole text, without a gap", () => {
  fc.assert(
    fc.property(logs, fc.boolean(), fc.array(fc.nat(40)), (events, showThoughts, looks) => {
      const copy = new LogCopy(LOG);
      copy.begin("e", 0);
      const reader = new Reader();
      reader.position.resume({ mode: "live", epoch: "e", seq: 0 });
      events.forEach((event, at) => {
        copy.take(event);
        if (!looks.includes(at) && at < events.length - 1) return;
        for (const { text, seq } of copy.since(reader.position.seq, showThoughts) ?? []) {
          reader.take(text);
          expect(reader.position.seq).toBe(seq);
        }
      });
      const whole = events.reduce(foldLog, EMPTY_LOG).streams["s"];
      expect(reader.state.streams["s"]?.content).toBe(whole?.content);
      expect(reader.state.streams["s"]?.thoughts.join("")).toBe(showThoughts ? whole?.thoughts.join("") : "");
    }),
  );
});

test("a snapshot, with what comes after it, is what all events amount to", () => {
  fc.assert(
    fc.property(logs, fc.nat(40), (events, at) => {
      const copy = fed(events.slice(0, at));
      const reader = new Reader();
      reader.position.resume({ mode: "snapshot", epoch: "e", seq: 0 });
      reader.take(copy.snapshot(true, 50)?.text ?? "");
      for (const event of events.slice(at)) copy.take(event);
      for (const { text } of copy.since(reader.position.seq, true) ?? []) reader.take(text);
      expect(reader.state.streams["s"]?.content).toBe(events.reduce(foldLog, EMPTY_LOG).streams["s"]?.content);
    }),
  );
});

test("what was written down and read back goes on as if nothing had been", () => {
  fc.assert(
    fc.property(logs, fc.nat(40), fc.nat(40), (events, at, have) => {
      const slept = new LogCopy(LOG);
      const saved = fed(events.slice(0, at)).save();
      if (saved) slept.restore(JSON.parse(JSON.stringify(saved)) as typeof saved);
      const awake = fed(events);
      slept.resume({ mode: "replay", epoch: "e", seq: awake.head });
      for (const event of events.slice(at)) slept.take(event);
      expect(slept.snapshot(true, 50)).toEqual(awake.snapshot(true, 50));
      expect(slept.since(have, false)).toEqual(awake.since(have, false));
    }),
  );
});

test("who is further behind than is kept gets a snapshot", () => {
  const copy = new LogCopy(LOG);
  copy.begin("e", 0);
  for (let seq = 1; seq <= 5_000; seq++) copy.take({ ...base, type: "token", seq, ts: seq, data: "x", n: 1 });
  expect(copy.since(0, false)).toBeNull();
  expect(copy.since(4_000, false)).toHaveLength(1);
});

test("half of a merged event is not given", () => {
  const copy = new LogCopy(LOG);
  copy.begin("e", 0);
  copy.take({ ...base, type: "token", prev: 0, seq: 5, ts: 1, data: "hello", n: 5 });
  expect(copy.since(3, false)).toBeNull();
  expect(copy.since(0, false)).toHaveLength(1);
});

test("a session's copy keeps no more messages than a snapshot may have, and no stream that is over", () => {
  const copy = new LogCopy("session:1");
  copy.resume({ mode: "snapshot", epoch: "e", seq: 0 });
  const session = { id: "1", slug: null, title: "T", model: null, archived: false, settings: { system_prompt: null, overlap: null }, created_at: "" };
  const state = { session, members: [], messages: [], has_more: false, streams: [] };
  copy.take({ type: "snapshot", log: "session:1", epoch: "e", seq: 0, state });
  for (let n = 1; n <= 250; n++) {
    const message = { id: String(n), n, role: "user" as const, content: "x", parts: [], user: null, stream: null, status: "complete" as const, finish_reason: null, key: null, created_at: "" };
    copy.take({ type: "message", log: "session:1", seq: n, ts: n, message });
  }
  const told = JSON.parse(copy.snapshot(false, 200)?.text ?? "") as { state: { messages: unknown[]; has_more: boolean } };
  expect(told.state.messages).toHaveLength(200);
  expect(told.state.has_more).toBe(true);
});
