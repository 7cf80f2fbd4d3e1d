/** What can be done with one message: copy it, link to it, begin anew from it, ask it again in other words. */

import type { Message } from "@hanzo/live-client";
import { CopyButton, copyText, More } from "@hanzo/live-ui";
import type { ReactElement } from "react";
import { Menu } from "../ui/Menu";

export interface MessageVerbs {
  /** Posts `content` as a new message and asks the model; history keeps the old one. */
  ask: (content: string) => void;
  /** Makes a session of one's own with everything up to the message, and goes there. */
  startFrom: (message: Message) => void;
  /** Says, in the conversation, what went wrong. */
  tell: (trouble: string) => void;
}

interface MessageActionsProps {
  message: Message;
  verbs: MessageVerbs;
  /** What the copy button says it copies. */
  copies: string;
  /** Opens the message for editing; absent where that is not offered. */
  onEdit?: (() => void) | undefined;
}

export function MessageActions({ message, verbs, copies, onEdit }: MessageActionsProps): ReactElement {
  const link = () => {
    copyText(new URL(`#${anchorOf(message)}`, location.href).href).catch(() =>
      verbs.tell("The link could not be copied. It is this page's address with the number of the message."),
    );
  };
  return (
    <>
      {message.content !== "" && <CopyButton text={message.content} label={copies} />}
      <Menu
        label={`More for message ${message.n}`}
        className="hl-button-icon message-more"
        items={[
          onEdit !== undefined && { kind: "action", label: "Edit and ask again", onSelect: onEdit },
          { kind: "action", label: "Start a new session from here", onSelect: () => verbs.startFrom(message) },
          { kind: "action", label: "Copy link to this message", onSelect: link },
        ]}
      >
        <More />
      </Menu>
    </>
  );
}

/** The id of a message's element: what an address names after `#`. */
export function anchorOf(message: Pick<Message, "n">): string {
  return `m-${message.n}`;
}
