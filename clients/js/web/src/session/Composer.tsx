/** Where one says the next thing. Enter sends, Shift+Enter begins a line, Escape stops the answer being written. */

import { LiveError, type SessionState, type SessionStore } from "@hanzo/live-client";
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactElement,
  type RefObject,
} from "react";
import { ArrowUp } from "../ui/icons";
import type { Rights } from "./rights";
import { useDraft } from "./use-draft";
import { useIsOffline } from "./use-is-offline";
import type { SessionView } from "./view";

/** What the contract takes for one message. */
const MAX_LENGTH = 200_000;

interface ComposerProps {
  session: string;
  store: SessionStore;
  view: SessionView;
  state: SessionState;
  rights: Rights;
}

export function Composer({ session, store, view, state, rights }: ComposerProps): ReactElement {
  const [draft, setDraft] = useDraft(session);
  const [error, setError] = useState<string | null>(null);
  const field = useGrowing(draft);
  const isLive = state.connection.status === "live" && state.status === "ready";
  const isOffline = useIsOffline(state.connection);
  const canSend = isLive && rights.write && draft.trim() !== "";
  const running = view.writing[0]?.message.stream;

  const send = useCallback(() => {
    if (draft.trim().length > MAX_LENGTH) {
      setError(
        `A message may have at most ${MAX_LENGTH.toLocaleString("en")} characters. Shorten it, then send.`,
      );
      return;
    }
    setError(null);
    void store.send(draft.trim());
    setDraft("");
  }, [draft, setDraft, store]);

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
      if (canSend) send();
    } else if (event.key === "Escape" && running && rights.write && isLive) {
      event.preventDefault();
      store.stop(running).catch((reason: unknown) => setError(LiveError.from(reason).message));
    }
  };

  const note = noteOf(rights, isOffline, state.status === "ready" && !isLive);
  const readOnly = rights.whyNot !== null;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) send();
      }}
    >
      <div className={readOnly ? "composer-box composer-disabled" : "composer-box"}>
        <textarea
          id="composer"
          ref={field}
          rows={1}
          value={draft}
          aria-label="Message"
          aria-describedby="composer-note"
          placeholder={readOnly ? "" : "Ask something"}
          disabled={readOnly}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
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
          (note ??
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

/** Why nothing can be sent now; null where it can. */
function noteOf({ whyNot }: Rights, isOffline: boolean, isCut: boolean): string | null {
  if (isOffline) {
    const promise = "You are offline. This page reconnects by itself when the network is back.";
    return whyNot === null ? `${promise} What you write is kept.` : promise;
  }
  return whyNot ?? (isCut ? "Not connected. Your text is kept until it can be sent." : null);
}

/** As high as its text, within what the style sheet allows. */
function useGrowing(text: string): RefObject<HTMLTextAreaElement | null> {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  return field;
}
