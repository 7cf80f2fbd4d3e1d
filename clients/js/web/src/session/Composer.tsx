/**
 * The draft of the next message, which everybody in the session writes at once. Enter sends it, Shift+Enter begins a
 * line, Escape stops the answer being written, Ctrl+Z takes back one's own edits.
 */

import { useSharedDraft, type DraftState, type PresenceStore } from "@hanzo/live";
import { LiveError, type SessionState, type SessionStore } from "@hanzo/live-client";
import { useCallback, useEffect, useState, type KeyboardEvent, type ReactElement } from "react";
import { ArrowUp } from "../ui/icons";
import { Carets } from "./cursors/Carets";
import { AsideNotice } from "./draft/AsideNotice";
import { useField } from "./draft/use-field";
import type { Rights } from "./rights";
import { useIsOffline } from "./use-is-offline";
import type { SessionView } from "./view";

interface ComposerProps {
  store: SessionStore;
  presence: PresenceStore;
  view: SessionView;
  state: SessionState;
  rights: Rights;
}

export function Composer({ store, presence, view, state, rights }: ComposerProps): ReactElement {
  const { store: draft, ...shown } = useSharedDraft(store);
  const [stopError, setStopError] = useState<string | null>(null);
  const isLive = state.connection.status === "live" && state.status === "ready";
  const isOffline = useIsOffline(state.connection);
  const canSend = isLive && rights.write && shown.text.trim() !== "" && !shown.isSending;
  const running = view.writing[0]?.message.stream;
  const readOnly = rights.whyNot !== null;

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
    if (!isLive || !rights.write || draft.current.text.trim() === "") return;
    setStopError(null);
    presence.stopTyping();
    void draft.send();
  };

  // Where there is a keyboard, one can begin to type at once; on a phone it would cover half of the page.
  const mayWrite = rights.write;
  useEffect(() => {
    const element = field.current;
    const isIdle = document.activeElement === null || document.activeElement === document.body;
    if (mayWrite && element && isIdle && matchMedia("(hover: hover)").matches) element.focus();
  }, [field, mayWrite]);

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && running && rights.write && isLive) {
      event.preventDefault();
      store.stop(running).catch((reason: unknown) => setStopError(LiveError.from(reason).message));
    }
  };

  const error = stopError ?? shown.error?.message ?? null;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {shown.aside && <AsideNotice aside={shown.aside} draft={draft} canWrite={rights.write} />}
      <div className={readOnly ? "composer-box composer-disabled" : "composer-box"}>
        <div className="composer-field">
          <textarea
            id="composer"
            ref={field}
            className="composer-text"
            rows={1}
            aria-label="Message"
            aria-describedby="composer-note"
            placeholder={readOnly ? "" : "Ask something"}
            readOnly={readOnly}
            onKeyDown={onKeyDown}
          />
          <Carets field={field} draft={draft} presence={presence} />
        </div>
        <button type="submit" className="send-button" aria-label="Send" disabled={!canSend}>
          <ArrowUp />
        </button>
      </div>
      <p id="composer-note" className="composer-note">
        {error ? (
          <span className="error" role="alert">
            {error}
          </span>
        ) : (
          (noteOf(rights, isOffline, state.status === "ready" && !isLive, shown) ??
          (readOnly ? null : (
            <span className="composer-hint">
              <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a line
            </span>
          )))
        )}
      </p>
    </form>
  );
}

/** What there is to know about the draft, or why nothing can be sent now; null where there is nothing. */
function noteOf(
  { whyNot }: Rights,
  isOffline: boolean,
  isCut: boolean,
  { isSending, isCarried }: Pick<DraftState, "isSending" | "isCarried">,
): ReactElement | string | null {
  if (isOffline) {
    const promise = "You are offline. This page reconnects by itself when the network is back.";
    return whyNot === null ? `${promise} What you write is kept.` : promise;
  }
  if (whyNot !== null) return whyNot;
  if (isCut) return "Not connected. Your text is kept, and joins the others' when the connection is back.";
  if (isSending) return <span className="composer-sending">Sending</span>;
  return isCarried ? "The draft was sent while you were away. What you had written since is here." : null;
}
