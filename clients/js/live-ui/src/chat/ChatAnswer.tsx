/** One answer in a chat: its thoughts, its tool calls, its text. */

import type { ConversationMessage } from "@hanzo/live";
import type { ReactElement } from "react";
import { Thoughts } from "../answer/Thoughts";
import { ToolCalls, type DecideTool } from "../answer/ToolCalls";
import { Markdown } from "../markdown/Markdown";
import { StreamingIndicator } from "../ui/signs";

interface ChatAnswerProps {
  message: ConversationMessage;
  isWriting: boolean;
  /** Show it while it is written. */
  isShown: boolean;
  showThoughts: boolean;
  decide: DecideTool;
}

export function ChatAnswer({ message, isWriting, isShown, showThoughts, decide }: ChatAnswerProps): ReactElement {
  const { stream } = message;
  const text = isShown || !isWriting ? message.content : "";
  const thoughts = showThoughts ? (stream?.thoughts ?? []).filter(Boolean) : [];
  const calls = stream?.toolCalls ?? [];
  const isThinking = isWriting && stream?.phase === "thinking";
  const isSilent = isWriting && text === "" && !(isThinking && thoughts.length > 0);
  return (
    <article className="hl-chat-answer" aria-label="Answer" aria-busy={isWriting}>
      {thoughts.length > 0 && (
        <Thoughts
          thoughts={thoughts}
          isThinking={isThinking}
          isOpen={isThinking && text === ""}
          thoughtMs={stream?.thoughtMs ?? null}
        />
      )}
      {calls.length > 0 && <ToolCalls calls={calls} told={stream?.toolProgress ?? []} isOver={!isWriting} decide={decide} />}
      {text !== "" && <Markdown text={text} growing={isWriting} />}
      {isSilent && <StreamingIndicator label={silenceText(stream?.phase)} />}
    </article>
  );
}

function silenceText(phase: string | null | undefined): string {
  if (phase === "thinking") return "Thinking";
  return phase === "tool" ? "Using a tool" : "Writing";
}
