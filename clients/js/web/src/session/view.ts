/** A session's state as the page lays it out: each message with the stream that writes it, then what is on its way. */

import {
  isOver,
  type Message,
  type OutgoingMessage,
  type SessionState,
  type StreamState,
} from "@hanzo/live-client";

export interface MessageView {
  message: Message;
  /** Known where it runs, or ended while we watched. */
  stream: StreamState | null;
  isWriting: boolean;
  /** The message itself has the whole text, and will not change. */
  isFinished: boolean;
}

export interface SessionView {
  messages: MessageView[];
  outgoing: readonly OutgoingMessage[];
  /** Answers being written or waiting to be, in order. */
  writing: MessageView[];
}

const cache = new WeakMap<Message, MessageView>();

/** Views of messages that did not change are the same objects as before, so that they are not drawn again. */
export function toView(
  state: Pick<SessionState, "messages" | "streams" | "outgoing" | "status">,
): SessionView {
  const watching = state.status !== "ended";
  const messages = state.messages.map((message) => {
    const stream = (message.stream === null ? undefined : state.streams[message.stream]) ?? null;
    const isFinished = message.status !== "queued" && message.status !== "streaming";
    const isWriting = watching && !isFinished && !(stream && isOver(stream.status));
    const known = cache.get(message);
    if (known && known.stream === stream && known.isWriting === isWriting) return known;
    const view = { message, stream, isWriting, isFinished };
    cache.set(message, view);
    return view;
  });
  return { messages, outgoing: state.outgoing, writing: messages.filter(({ isWriting }) => isWriting) };
}
