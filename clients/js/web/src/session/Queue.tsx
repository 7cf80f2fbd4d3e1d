/** What waits behind the answer being written: who asked it, in which order, and the way to take it back. */

import { LiveError, type Message, type SessionStore } from "@hanzo/live-client";
import { Avatar } from "@hanzo/live-ui";
import { useState, type ReactElement } from "react";
import type { SessionView } from "./view";

interface QueueProps {
  view: SessionView;
  me: string;
  isConnected: boolean;
  /** Whoever may stop an answer may also take one out of the queue. */
  canStop: boolean;
  store: SessionStore;
}

export function Queue({ view, me, isConnected, canStop, store }: QueueProps): ReactElement | null {
  const waiting = view.writing.slice(1);
  const [trouble, setTrouble] = useState<string | null>(null);
  if (waiting.length === 0) return null;
  const takeBack = (stream: string) => {
    setTrouble(null);
    store.stop(stream).catch((reason: unknown) => setTrouble(LiveError.from(reason).message));
  };
  return (
    <details className="queue" open>
      <summary>{waiting.length === 1 ? "1 more waits" : `${waiting.length} more wait`}</summary>
      <ol>
        {waiting.map(({ message: reply }) => {
          const prompt = promptOf(reply, view);
          const mine = reply.user?.id === me;
          const name = mine ? "You" : (reply.user?.name ?? "Somebody who left");
          const text = prompt?.content ?? "";
          return (
            <li key={reply.id} className="queue-row">
              <Avatar src={reply.user?.avatar} name={reply.user?.name ?? name} size="small" />
              <span className="queue-name">{name}</span>
              <span className="queue-text">{text}</span>
              {canStop && reply.stream !== null && (
                <button
                  type="button"
                  className="hl-button-quiet"
                  disabled={!isConnected}
                  aria-label={`${mine ? "Take back" : "Remove"} “${text.slice(0, 60)}”`}
                  onClick={() => takeBack(reply.stream as string)}
                >
                  {mine ? "Take back" : "Remove"}
                </button>
              )}
            </li>
          );
        })}
      </ol>
      {trouble && (
        <p className="hl-error" role="alert">
          {trouble}
        </p>
      )}
    </details>
  );
}

/** A reply is announced right behind its prompt. */
function promptOf(reply: Message, { messages }: SessionView): Message | undefined {
  return messages.find(({ message }) => message.n === reply.n - 1 && message.role === "user")?.message;
}
