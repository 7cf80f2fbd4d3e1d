/** What a person said, and what is on its way. A prompt is shown as it was typed. */

import type { Message, OutgoingMessage, SessionStore } from "@hanzo/live-client";
import { Avatar, Retry } from "@hanzo/live-ui";
import { memo, useRef, useState, type ReactElement } from "react";
import { Clock } from "../ui/Clock";
import { EditPrompt } from "./EditPrompt";
import { anchorOf, MessageActions, type MessageVerbs } from "./MessageActions";

interface PromptProps {
  message: Message;
  mine: boolean;
  canWrite: boolean;
  /** The page's address names this message. */
  isLinked: boolean;
  verbs: MessageVerbs;
}

export const Prompt = memo(function Prompt(props: PromptProps): ReactElement {
  const { message, mine, canWrite, isLinked, verbs } = props;
  const [editing, setEditing] = useState(false);
  const article = useRef<HTMLElement>(null);
  const endEditing = () => {
    setEditing(false);
    // The field that had the focus goes: from the message on, the keys go on where they were.
    article.current?.focus({ preventScroll: true });
  };
  const name = message.user?.name ?? (message.role === "system" ? "System" : "Somebody who left");
  return (
    <article
      ref={article}
      id={anchorOf(message)}
      className={`prompt ${mine ? "prompt-mine" : ""} ${isLinked ? "linked" : ""}`}
      aria-label={`${mine ? "You" : name} said`}
      tabIndex={-1}
    >
      <header className="prompt-head">
        {!mine && <Avatar src={message.user?.avatar} name={name} size="small" />}
        <span className="prompt-name">{mine ? "You" : name}</span>
        <Clock at={message.created_at} />
      </header>
      {editing ? (
        <EditPrompt
          content={message.content}
          onAsk={(content) => {
            endEditing();
            verbs.ask(content);
          }}
          onCancel={endEditing}
        />
      ) : (
        <>
          <div className="prompt-text" data-text="">
            {message.content}
          </div>
          {message.status === "stopped" && (
            <p className="prompt-taken-back">Taken back, and not told to the model</p>
          )}
          <div className="message-actions">
            <MessageActions
              message={message}
              verbs={verbs}
              copies="Copy message"
              onEdit={mine && canWrite ? () => setEditing(true) : undefined}
            />
          </div>
        </>
      )}
    </article>
  );
});

export function Outgoing({
  message,
  store,
}: {
  message: OutgoingMessage;
  store: SessionStore;
}): ReactElement {
  const failed = message.status === "failed";
  return (
    <article className="prompt prompt-mine prompt-outgoing" aria-label="On its way">
      <div className="prompt-text">{message.content}</div>
      {failed && (
        <div className="prompt-failed" role="alert">
          <p className="hl-error">{message.error?.message ?? "This was not sent."}</p>
          <button type="button" className="hl-button-quiet" onClick={() => void store.resend(message.key)}>
            <Retry />
            Retry
          </button>
          <button type="button" className="hl-button-quiet" onClick={() => store.discard(message.key)}>
            Discard
          </button>
        </div>
      )}
    </article>
  );
}
