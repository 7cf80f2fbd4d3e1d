/** Events of one stream that somebody will read, in order. What grows without end is kept as one. */

import type { StreamEvent } from "./protocol.generated";

/** Events that are kept one by one; beyond that, neighbours that add to the same text are merged, as on the wire. */
const KEPT_APART = 1000;

/** What an event takes besides its text, in characters, about. */
const OVERHEAD = 64;

export class EventQueue {
  readonly #events: StreamEvent[] = [];
  #size = 0;

  /** About how much is in it, in characters. */
  get weight(): number {
    return this.#size;
  }

  copy(): EventQueue {
    const copy = new EventQueue();
    copy.#events.push(...this.#events);
    copy.#size = this.#size;
    return copy;
  }

  push(event: StreamEvent): void {
    const last = this.#events.at(-1);
    const both = last && this.#events.length >= KEPT_APART ? merged(last, event) : null;
    if (both) this.#events[this.#events.length - 1] = both;
    else this.#events.push(event);
    this.#size += textOf(event) + (both ? 0 : OVERHEAD);
  }

  /** The oldest one, taken out. */
  shift(): StreamEvent | undefined {
    const event = this.#events.shift();
    if (event) this.#size -= textOf(event) + OVERHEAD;
    return event;
  }
}

function textOf(event: StreamEvent): number {
  if (event.type === "token" || event.type === "thought") return event.data.length;
  return event.type === "tool_call" ? (event.args_delta?.length ?? 0) : 0;
}

/** Both as one event, as the server merges them; null where they are not of one text. */
export function merged(first: StreamEvent, second: StreamEvent): StreamEvent | null {
  const prev = first.prev ?? first.seq - 1;
  if (first.type === "token" && second.type === "token")
    return { ...second, prev, data: first.data + second.data, n: first.n + second.n };
  if (first.type === "thought" && second.type === "thought" && first.step === second.step)
    return { ...second, prev, data: first.data + second.data, n: first.n + second.n };
  if (first.type !== "tool_call" || second.type !== "tool_call" || first.call !== second.call) return null;
  if (first.args_delta == null || second.args_delta == null) return null;
  return { ...second, prev, args_delta: first.args_delta + second.args_delta };
}
