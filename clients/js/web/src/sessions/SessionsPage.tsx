/** The list of sessions: what there is, and a way to begin. */

import { LiveError } from "@hanzo/live-client";
import { useCallback, useEffect, useState, type KeyboardEvent, type ReactElement } from "react";
import { listSessions, type Page, type SessionSummary } from "../api/resources";
import { modelName, useModels } from "../api/use-models";
import type { PageConfig } from "../config";
import { sessionPath } from "../routes";
import { Plus, Retry } from "../ui/icons";
import { relativeTime } from "../ui/relative-time";
import { Shell } from "../ui/Shell";
import { useNow } from "../ui/use-now";
import { CreateSession } from "./CreateSession";

type Loaded = { sessions: SessionSummary[]; next: string | null };

export function SessionsPage({ config }: { config: PageConfig }): ReactElement {
  const { loaded, error, retry, more } = useSessions();
  const models = useModels();
  const now = useNow();
  const [creating, setCreating] = useState(false);
  const isEmpty = loaded?.sessions.length === 0;

  return (
    <Shell config={config}>
      <div className="list-head">
        <div>
          <h1>Sessions</h1>
          <p className="muted">Conversations with a model that you and others watch live.</p>
        </div>
        {!isEmpty && !creating && (
          <button type="button" className="button button-primary" onClick={() => setCreating(true)}>
            <Plus />
            New session
          </button>
        )}
      </div>
      {creating && !isEmpty && <CreateSession models={models} onCancel={() => setCreating(false)} />}
      {error && <LoadError error={error} onRetry={retry} />}
      {!loaded && !error && <Skeleton />}
      {isEmpty && (
        <section className="empty-state" aria-labelledby="first">
          <h2 id="first">Start your first session</h2>
          <p className="muted">
            Give it a name, ask something, and invite others to watch the answer with you.
          </p>
          <CreateSession models={models} />
        </section>
      )}
      {loaded && !isEmpty && (
        <ul className="session-list" onKeyDown={moveFocus}>
          {loaded.sessions.map((session) => (
            <li key={session.id}>
              <SessionRow
                session={session}
                model={session.model ? modelName(models, session.model) : null}
                now={now}
              />
            </li>
          ))}
        </ul>
      )}
      {loaded?.next && (
        <button type="button" className="button list-more" onClick={more}>
          Show more
        </button>
      )}
    </Shell>
  );
}

function SessionRow({
  session,
  model,
  now,
}: {
  session: SessionSummary;
  model: string | null;
  now: number;
}): ReactElement {
  return (
    <a className="session-row" href={sessionPath(session)}>
      <span className="session-row-title">{session.title || "Untitled session"}</span>
      <span className="session-row-meta">
        {session.archived && <span className="tag">Archived</span>}
        {session.role !== "owner" && (
          <span className="tag">{session.role === "viewer" ? "Viewer" : "Editor"}</span>
        )}
        {model && <span className="session-row-model">{model}</span>}
        <time dateTime={session.updated_at}>{relativeTime(session.updated_at, now)}</time>
      </span>
    </a>
  );
}

function LoadError({ error, onRetry }: { error: LiveError; onRetry: () => void }): ReactElement {
  return (
    <div className="notice notice-error" role="alert">
      <p>{error.message}</p>
      <button type="button" className="button" onClick={onRetry}>
        <Retry />
        Retry
      </button>
    </div>
  );
}

function Skeleton(): ReactElement {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading sessions</span>
      <span />
      <span />
      <span />
    </div>
  );
}

/** Up and down move between the rows, as in any list. */
function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>(".session-row")];
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function useSessions() {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<LiveError | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    listSessions(abort.signal).then(
      (page) => setLoaded({ sessions: page.results, next: page.next }),
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(LiveError.from(reason));
      },
    );
    return () => abort.abort();
  }, [attempt]);

  const retry = useCallback(() => {
    setError(null);
    setAttempt((before) => before + 1);
  }, []);
  const next = loaded?.next;
  const more = useCallback(() => {
    if (!next) return;
    const add = (page: Page<SessionSummary>) =>
      setLoaded((before) => ({ sessions: [...(before?.sessions ?? []), ...page.results], next: page.next }));
    listSessions(undefined, next).then(add, (reason: unknown) => setError(LiveError.from(reason)));
  }, [next]);
  return { loaded, error, retry, more };
}
