/** The head of a session's page: where one is, who is here, and how the connection is. */

import type { SessionState } from "@hanzo/live-client";
import type { ReactElement } from "react";
import type { PageConfig } from "../config";
import { Avatar } from "../ui/Avatar";
import { ArrowLeft, People } from "../ui/icons";
import { ConnectionPill } from "./ConnectionPill";
import { SessionTitle } from "./SessionTitle";

const FACES = 3;

interface SessionHeadProps {
  session: string;
  state: SessionState;
  /** The name of the model that is asked; null while it is not known. */
  model: string | null;
  config: PageConfig;
  canManage: boolean;
  onPeople: () => void;
  onReconnect: () => void;
}

export function SessionHead(props: SessionHeadProps): ReactElement {
  const { session, state, model, config, canManage, onPeople, onReconnect } = props;
  const { members, present } = state;
  return (
    <header className="session-head">
      <a className="button-icon" href={config.urls.home} aria-label="All sessions">
        <ArrowLeft />
      </a>
      <SessionTitle session={session} title={state.session?.title ?? null} canRename={canManage} />
      {model && <span className="session-model">{model}</span>}
      <div className="session-head-end">
        <ConnectionPill state={state} onReconnect={onReconnect} signIn={config.urls.signIn} />
        {members.length > 0 && (
          <button
            type="button"
            className="people-button"
            onClick={onPeople}
            aria-label={`People (${members.length})`}
          >
            <span className="faces">
              {members.slice(0, FACES).map(({ user }) => (
                <Avatar key={user.id} user={user} size="small" online={user.id in present} />
              ))}
            </span>
            <span className="people-count" data-count={members.length}>
              <People />
            </span>
          </button>
        )}
      </div>
    </header>
  );
}
