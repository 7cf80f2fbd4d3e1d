/** One session in the list: what it is called, what is new in it, and what one may do with it. */

import type { LiveError } from "@hanzo/live-client";
import { fullTime, More, relativeTime } from "@hanzo/live-ui";
import { memo, type ReactElement } from "react";
import type { SessionSummary } from "../api/resources";
import { useSessionCommands, type SessionChange } from "../dialogs/use-session-commands";
import { sessionPath } from "../routes";
import { Menu } from "../ui/Menu";

/** The server counts no further than a hundred. */
const COUNTED = 100;

interface SessionRowProps {
  session: SessionSummary;
  /** The name of its model; null where it asks the server's default. */
  model: string | null;
  now: number;
  me: string;
  onChange: (session: SessionSummary, change: SessionChange) => void;
  onError: (error: LiveError) => void;
}

export const SessionRow = memo(function SessionRow(props: SessionRowProps): ReactElement {
  const { session, model, now, me, onChange, onError } = props;
  const { items, dialog } = useSessionCommands(session, me, (change) => onChange(session, change), onError);
  const { unread } = session;
  return (
    <li>
      <div className={unread > 0 ? "session-row session-row-unread" : "session-row"}>
        <a className="session-row-link" data-row href={sessionPath(session)}>
          <span className="session-row-title">
            <bdi>{session.title}</bdi>{" "}
            {unread > 0 && (
              <span className="badge">
                {unread >= COUNTED ? `${COUNTED}+` : unread}
                <span className="hl-visually-hidden"> unread</span>
              </span>
            )}
          </span>
          <span className="session-row-meta">
            {session.role !== "owner" && (
              <span className="tag">{session.role === "viewer" ? "Viewer" : "Editor"}</span>
            )}
            {model && <span className="session-row-model">{model}</span>}
            <time dateTime={session.updated_at} title={fullTime(session.updated_at)}>
              {relativeTime(session.updated_at, now)}
            </time>
          </span>
        </a>
        <Menu label={`Options of ${session.title}`} items={items}>
          <More />
        </Menu>
      </div>
      {dialog}
    </li>
  );
});
