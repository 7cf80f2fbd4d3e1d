/** A session's state as the page lays it out: each message with the stream that writes it, then what is on its way. */

import { isOver, type Message, type OutgoingMessage, type SessionState, type StreamState } from "@hanzo/live-client";

export interface MessageView {
  message: Message;
  /** Known where it runs, or ended while we watched. */
  stream: StreamState | null;
  isWriting: boolean;
}

export interface SessionView {
  messages: MessageView[];
  outgoing: readonly OutgoingMessage[];
  /** Answers being written or waiting to be, in order. */
  writing: MessageView[];
}

const cache = new WeakMap<Message, MessageView>();

/** Views of messages that did not change are the same objects as before, so that they are not drawn again. */
export function toView(state: Pick<SessionState, "messages" | "streams" | "outgoing">): SessionView {
  const messages = state.messages.map((message) => {
    const stream = (message.stream === null ? undefined : state.streams[message.stream]) ?? null;
    const known = cache.get(message);
    if (known && known.stream === stream) return known;
    const isOpen = message.status === "queued" || message.status === "streaming";
    const view = { message, stream, isWriting: isOpen && !(stream && isOver(stream.status)) };
    cache.set(message, view);
    return view;
  });
  return { messages, outgoing: state.outgoing, writing: messages.filter(({ isWriting }) => isWriting) };
}
