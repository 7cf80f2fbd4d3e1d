/** The list of sessions: what there is, a way to find something in it, and a way to begin. */

import type { LiveError } from "@hanzo/live-client";
import { Dialog, ErrorMessage, Plus, useNow } from "@hanzo/live-ui";
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { changeSession, type ModelInfo, type SessionSummary } from "../api/resources";
import { modelName, useModels } from "../api/use-models";
import type { PageConfig } from "../config";
import type { SessionChange } from "../dialogs/use-session-commands";
import { Shell } from "../ui/Shell";
import { CreateSession } from "./CreateSession";
import { SearchField } from "./SearchField";
import { SearchResults } from "./SearchResults";
import { SessionRow } from "./SessionRow";
import { useAddress } from "./use-address";
import { useSearch } from "./use-search";
import { useSessions, type Sessions } from "./use-sessions";

export function SessionsPage({ config }: { config: PageConfig }): ReactElement {
  const [{ words, archived }, setAddress] = useAddress();
  const list = useSessions(archived);
  const search = useSearch(words);
  const models = useModels();
  const now = useNow();
  const [creating, setCreating] = useState(false);
  const isSearch = words.trim() !== "";
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key === "Escape" && isSearch && isOnRow(document.activeElement)) {
      event.currentTarget.querySelector<HTMLElement>("[type=search]")?.focus();
      setAddress({ words: "" });
    } else {
      moveFocus(event);
    }
  };
  const isNew = list.sessions?.length === 0 && !archived && !isSearch;

  return (
    <Shell config={config}>
      <div className="list-page" onKeyDown={onKeyDown}>
        <div className="list-head">
          <h1>Sessions</h1>
          {!isNew && (
            <button type="button" className="hl-button hl-button-primary" onClick={() => setCreating(true)}>
              <Plus />
              New session
            </button>
          )}
        </div>
        {!isNew && (
          <div className="list-tools">
            <SearchField words={words} onChange={(next) => setAddress({ words: next })} />
            {!isSearch && (
              <div className="segments" role="group" aria-label="Which sessions">
                <button type="button" aria-pressed={!archived} onClick={() => setAddress({ archived: false })}>
                  Active
                </button>
                <button type="button" aria-pressed={archived} onClick={() => setAddress({ archived: true })}>
                  Archived
                </button>
              </div>
            )}
          </div>
        )}
        {isSearch ? (
          <SearchResults words={words} search={search} now={now} />
        ) : (
          <SessionList
            list={list}
            archived={archived}
            onArchived={() => setAddress({ archived: true })}
            models={models}
            now={now}
            me={config.user.id}
          />
        )}
      </div>
      {creating && (
        <Dialog title="New session" onClose={() => setCreating(false)}>
          <CreateSession models={models} onCancel={() => setCreating(false)} />
        </Dialog>
      )}
    </Shell>
  );
}

interface SessionListProps {
  list: Sessions;
  archived: boolean;
  /** Shows the archived ones instead. */
  onArchived: () => void;
  models: readonly ModelInfo[];
  now: number;
  me: string;
}

/** What was done last, and what would undo it. */
interface Done {
  text: string;
  undo: (() => Promise<unknown>) | null;
}

function SessionList(props: SessionListProps): ReactElement {
  const { list, archived, onArchived, models, now, me } = props;
  const { sessions, hasMore, error, refresh, more } = list;
  const [done, setDone] = useState<Done | null>(null);
  const [failure, setFailure] = useState<LiveError | null>(null);
  const said = useRef<HTMLDivElement>(null);

  const onChange = useCallback(
    (session: SessionSummary, change: SessionChange) => {
      setFailure(null);
      setDone(doneText(session, change));
      refresh();
    },
    [refresh],
  );
  // The row with the focus may be gone: what was done is where one goes on.
  useEffect(() => {
    if (done) said.current?.focus();
  }, [done]);
  const retry = () => {
    setFailure(null);
    refresh();
  };
  const undo = () => {
    done?.undo?.().then(() => {
      setDone(null);
      refresh();
    }, setFailure);
  };
  const wrong = failure ?? error;

  return (
    <>
      {wrong && <ErrorMessage error={wrong} onRetry={retry} />}
      {done && (
        <div ref={said} className="hl-notice" role="status" tabIndex={-1}>
          <p>{done.text}</p>
          {done.undo && (
            <button type="button" className="hl-button" onClick={undo}>
              Undo
            </button>
          )}
        </div>
      )}
      {!sessions && !error && <Skeleton />}
      {sessions?.length === 0 &&
        (archived ? (
          <section className="empty-state">
            <h2>Nothing is archived</h2>
            <p className="hl-muted">
              What is finished can be archived: it can still be read and found, and nobody writes in it.
            </p>
          </section>
        ) : (
          <section className="empty-state" aria-labelledby="first">
            <h2 id="first">Start your first session</h2>
            <p className="hl-muted">Ask something, and invite others to watch the answer with you.</p>
            <CreateSession models={models} />
            <button type="button" className="hl-button-quiet" onClick={onArchived}>
              Archived sessions
            </button>
          </section>
        ))}
      {sessions && sessions.length > 0 && (
        <ul className="session-list">
          {sessions.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              model={session.model ? modelName(models, session.model) : null}
              now={now}
              me={me}
              onChange={onChange}
              onError={setFailure}
            />
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="hl-button list-more" onClick={more}>
          Show more
        </button>
      )}
    </>
  );
}

function doneText({ id, title }: SessionSummary, change: SessionChange): Done | null {
  switch (change) {
    case "archived":
      return { text: `“${title}” is archived.`, undo: () => changeSession(id, { archived: false }) };
    case "opened":
      return { text: `“${title}” is open again.`, undo: () => changeSession(id, { archived: true }) };
    case "deleted":
      return { text: `“${title}” was deleted.`, undo: null };
    case "left":
      return { text: `You left “${title}”.`, undo: null };
    default:
      return null;
  }
}

function Skeleton(): ReactElement {
  return (
    <div className="skeleton" role="status">
      <span className="hl-visually-hidden">Loading sessions</span>
      <span />
      <span />
      <span />
    </div>
  );
}

function isOnRow(element: Element | null): boolean {
  return element?.matches("[data-row]") ?? false;
}

/** Up and down move between the field and the rows below it, as in any list. */
function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("[type=search], [data-row]")];
  const at = stops.findIndex((stop) => stop === document.activeElement);
  const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}
