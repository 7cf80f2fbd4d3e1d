/** Tells screen readers of a finished answer: once, not at each token. */

import type { Message } from "@hanzo/live-client";
import { useEffect, useRef, useState, type ReactElement } from "react";

const LONGEST = 400;

export function Announcer({ messages }: { messages: readonly Message[] }): ReactElement {
  const [said, setSaid] = useState("");
  const open = useRef(new Set<string>());
  useEffect(() => {
    for (const message of messages) {
      if (message.status === "queued" || message.status === "streaming") {
        open.current.add(message.id);
      } else if (open.current.delete(message.id)) {
        setSaid(announcement(message));
      }
    }
  }, [messages]);
  return (
    <p className="hl-visually-hidden" aria-live="polite">
      {said}
    </p>
  );
}

function announcement(message: Message): string {
  if (message.status === "failed") return "The answer failed.";
  const text = message.content.length > LONGEST ? `${message.content.slice(0, LONGEST)} …` : message.content;
  return message.status === "stopped" ? `The answer was stopped. ${text}` : `Answer: ${text}`;
}
