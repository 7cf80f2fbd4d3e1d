/** A session's messages with the text of those that are being written. */

import { isOver, type Message, type SessionState, type StreamState } from "@hanzo/live-client";

export interface SessionMessage extends Message {
  /** Who wrote it, or who asked for it. */
  userId: string | null;
  isStreaming: boolean;
}

/** The stream that writes a message now; null where it is finished. */
export function streamOf(message: Message, streams: SessionState["streams"]): StreamState | null {
  if (message.status !== "queued" && message.status !== "streaming") return null;
  return (message.stream === null ? undefined : streams[message.stream]) ?? null;
}

const cache = new WeakMap<Message, { stream: StreamState | null; shown: SessionMessage }>();

/** Each message as it is shown. One that did not change is the same object as before. */
export function transcript({
  messages,
  streams,
}: Pick<SessionState, "messages" | "streams">): SessionMessage[] {
  return messages.map((message) => {
    const stream = streamOf(message, streams);
    const known = cache.get(message);
    if (known && known.stream === stream) return known.shown;
    const shown: SessionMessage = {
      ...message,
      content: stream?.content ?? message.content,
      userId: message.user?.id ?? null,
      isStreaming: stream
        ? !isOver(stream.status)
        : message.status === "queued" || message.status === "streaming",
    };
    cache.set(message, { stream, shown });
    return shown;
  });
}
