/** A log's state in the wire's words: what the server's snapshot of it says. */

import { isOver, type LogState, type SnapshotState, type SnapshotStream, type StreamState } from "@hanzo/live-client";

export interface SnapshotOptions {
  showThoughts: boolean;
  /** How many messages. */
  tail: number;
}

/** Streams are those that run; in a stream's own log that one in any state. */
export function snapshotState(state: LogState, log: string, { showThoughts, tail }: SnapshotOptions): SnapshotState {
  const messages = tail > 0 ? state.messages.slice(-tail) : [];
  const streams = Object.values(state.streams).filter(
    ({ id, status }) => log === `stream:${id}` || (log.startsWith("session:") && !isOver(status)),
  );
  return {
    session: state.session,
    members: [...state.members],
    messages,
    has_more: state.hasMore || messages.length < state.messages.length,
    streams: streams.map((stream) => streamOf(stream, showThoughts)),
  };
}

function streamOf(stream: StreamState, showThoughts: boolean): SnapshotStream {
  return {
    id: stream.id,
    message: stream.message,
    status: stream.status,
    content: stream.content,
    thoughts: showThoughts ? [...stream.thoughts] : [],
    tool_calls: [...stream.toolCalls],
    usage: stream.usage,
    finish_reason: stream.finishReason,
    error: stream.error,
  };
}
