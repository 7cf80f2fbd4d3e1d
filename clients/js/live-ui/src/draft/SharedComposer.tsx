/**
 * The draft of the next message, which everybody in the session writes at once. Enter sends it, Shift+Enter begins a
 * line, Ctrl+Z takes back one's own edits.
 */

import type { PresenceStore, SharedDraft } from "@hanzo/live";
import { useCallback, useEffect, useId, type KeyboardEvent, type ReactElement, type ReactNode } from "react";
import { Carets } from "../cursors/Carets";
import { ArrowUp } from "../ui/icons";
import { AsideNotice } from "./AsideNotice";
import { useField } from "./use-field";

export interface SharedComposerProps {
  /** What `useSharedDraft` gave. */
  draft: SharedDraft;
  /** The others are told of one's caret, and that one types. */
  presence: PresenceStore;
  /** One may write here. */
  canWrite?: boolean;
  /** Nothing can be written in the field (default: where one may not write). */
  readOnly?: boolean;
  /** A message would be taken now (default true): the connection is there. */
  isLive?: boolean;
  /** What there is to know, under the field; by default which keys do what. */
  note?: ReactNode;
  /** What went wrong, instead of the draft's own error. */
  error?: string | null;
  placeholder?: string;
  /** Id of the field, for links to it. */
  id?: string;
  className?: string;
  /** Another key than those that are the field's. */
  onKeyDown?: (event: KeyboardEvent) => void;
  /** Called before the draft is sent. */
  onSend?: () => void;
}

const KEYS = (
  <span className="hl-composer-hint">
    <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a line
  </span>
);

export function SharedComposer(props: SharedComposerProps): ReactElement {
  const { draft: shared, presence, canWrite = true, isLive = true, placeholder = "Ask something" } = props;
  const { store: draft, text, isSending, aside, error: draftError } = shared;
  const readOnly = props.readOnly ?? !canWrite;
  const given = useId();
  const id = props.id ?? given;

  const onTyped = useCallback(() => presence.typed(), [presence]);
  const onSelect = useCallback(
    (place: { anchor: string; head: string } | null) => {
      const { generation } = draft;
      presence.move({ draft: place && generation !== null ? { generation, ...place } : null });
    },
    [presence, draft],
  );
  const field = useField(draft, { onTyped, onSelect });

  const send = () => {
    if (!isLive || !canWrite || draft.current.text.trim() === "") return;
    props.onSend?.();
    presence.stopTyping();
    void draft.send();
  };

  // Where there is a keyboard, one can begin to type at once; on a phone it would cover half of the page.
  useEffect(() => {
    const element = field.current;
    const isIdle = document.activeElement === null || document.activeElement === document.body;
    if (canWrite && element && isIdle && matchMedia("(hover: hover)").matches) element.focus();
  }, [field, canWrite]);

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.nativeEvent.isComposing) return;
    if (event.key !== "Enter" || event.shiftKey) return props.onKeyDown?.(event);
    event.preventDefault();
    send();
  };

  const error = props.error ?? draftError?.message ?? null;
  const keys = readOnly ? null : KEYS;
  return (
    <form
      className={`hl-composer ${props.className ?? ""}`.trim()}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {aside && <AsideNotice aside={aside} draft={draft} canWrite={canWrite} />}
      <div className={readOnly ? "hl-composer-box hl-composer-disabled" : "hl-composer-box"}>
        <div className="hl-composer-field">
          <textarea
            id={id}
            ref={field}
            className="hl-composer-text"
            rows={1}
            aria-label="Message"
            aria-describedby={`${id}-note`}
            placeholder={readOnly ? "" : placeholder}
            readOnly={readOnly}
            onKeyDown={onKeyDown}
          />
          <Carets field={field} draft={draft} presence={presence} />
        </div>
        <button
          type="submit"
          className="hl-send-button"
          aria-label="Send"
          disabled={!isLive || !canWrite || isSending || text.trim() === ""}
        >
          <ArrowUp />
        </button>
      </div>
      <p id={`${id}-note`} className="hl-composer-note">
        {error ? (
          <span className="hl-error" role="alert">
            {error}
          </span>
        ) : (
          (props.note ?? keys)
        )}
      </p>
    </form>
  );
}
