/** The head of a session's page: where one is, who is here, and how the connection is. */

import type { PresenceState } from "@hanzo/live";
import type { SessionState } from "@hanzo/live-client";
import { ArrowLeft, People, PresenceBar } from "@hanzo/live-ui";
import type { ReactElement, ReactNode } from "react";
import type { PageConfig } from "../config";
import { ConnectionPill } from "./ConnectionPill";
import { SessionTitle } from "./SessionTitle";

interface SessionHeadProps {
  session: string;
  state: SessionState;
  presence: PresenceState;
  /** The name of the model that is asked; null while it is not known. */
  model: string | null;
  config: PageConfig;
  canManage: boolean;
  onPeople: () => void;
  onReconnect: () => void;
  menu: ReactNode;
}

export function SessionHead(props: SessionHeadProps): ReactElement {
  const { session, state, presence, model, config, canManage, onPeople, onReconnect, menu } = props;
  const { members } = state;
  return (
    <header className="session-head">
      <a className="hl-button-icon" href={config.urls.home} aria-label="All sessions">
        <ArrowLeft />
      </a>
      <SessionTitle session={session} title={state.session?.title ?? null} canRename={canManage} />
      {model && <span className="session-model">{model}</span>}
      <div className="session-head-end">
        <ConnectionPill state={state} onReconnect={onReconnect} signIn={config.urls.signIn} />
        <PresenceBar {...presence} />
        {members.length > 0 && (
          <button
            type="button"
            className="people-button"
            onClick={onPeople}
            aria-label={`People (${members.length})`}
          >
            <span className="people-count" data-count={members.length}>
              <People />
            </span>
          </button>
        )}
        {menu}
      </div>
    </header>
  );
}
