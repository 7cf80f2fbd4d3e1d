/** The message field of the page: the shared draft, why nothing can be sent now, and Escape to stop the answer. */

import { useSharedDraft, type DraftState, type PresenceStore } from "@hanzo/live";
import { LiveError, type SessionState, type SessionStore } from "@hanzo/live-client";
import { SharedComposer } from "@hanzo/live-ui";
import { useState, type KeyboardEvent, type ReactElement } from "react";
import type { Rights } from "./rights";
import { useIsOffline } from "./use-is-offline";
import type { SessionView } from "./view";

interface ComposerProps {
  /** Id of the person who writes. */
  me: string;
  store: SessionStore;
  presence: PresenceStore;
  view: SessionView;
  state: SessionState;
  rights: Rights;
}

export function Composer({ me, store, presence, view, state, rights }: ComposerProps): ReactElement {
  const draft = useSharedDraft(store, { user: me });
  const [stopError, setStopError] = useState<string | null>(null);
  const isLive = state.connection.status === "live" && state.status === "ready";
  const isOffline = useIsOffline(state.connection);
  const running = view.writing[0]?.message.stream;

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !running || !rights.write || !isLive) return;
    event.preventDefault();
    store.stop(running).catch((reason: unknown) => setStopError(LiveError.from(reason).message));
  };

  return (
    <SharedComposer
      id="composer"
      className="composer"
      draft={draft}
      presence={presence}
      canWrite={rights.write}
      readOnly={rights.whyNot !== null}
      isLive={isLive}
      error={stopError}
      note={noteOf(rights, isOffline, state.status === "ready" && !isLive, draft) ?? undefined}
      onKeyDown={onKeyDown}
      onSend={() => setStopError(null)}
    />
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
  if (isSending) return <span className="hl-composer-sending">Sending</span>;
  return isCarried ? "The draft was sent while you were away. What you had written since is here." : null;
}
