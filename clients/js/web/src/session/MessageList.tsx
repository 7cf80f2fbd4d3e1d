/** What is said, oldest first: follows the end unless the reader scrolled away, and fetches older messages upwards. */

import { useClient, type PresenceStore } from "@hanzo/live";
import { LiveError, type SessionState, type SessionStore } from "@hanzo/live-client";
import { ArrowDown, Cursors, Mark, useNow, useStickToEnd } from "@hanzo/live-ui";
import { Fragment, useCallback, useEffect, useMemo, useState, type ReactElement } from "react";
import { duplicateSession, type ModelInfo } from "../api/resources";
import { sessionPath } from "../routes";
import { Answer } from "./Answer";
import { anchorOf, type MessageVerbs } from "./MessageActions";
import { NewDay } from "./NewDay";
import { Outgoing, Prompt } from "./Prompt";
import { useAnswerFacts } from "./use-answer-facts";
import { useLinkedMessage } from "./use-linked-message";
import { useMarkRead } from "./use-mark-read";
import { useOlderMessages } from "./use-older-messages";
import type { SessionView } from "./view";

interface MessageListProps {
  session: string;
  store: SessionStore;
  presence: PresenceStore;
  view: SessionView;
  status: SessionState["status"];
  hasMore: boolean;
  models: readonly ModelInfo[];
  /** The name of the model that the session asks. */
  model: string | null;
  me: string;
  canWrite: boolean;
}

export function MessageList(props: MessageListProps): ReactElement {
  const { session, store, presence, view, status, hasMore, models, model, me, canWrite } = props;
  const client = useClient();
  const { messages, outgoing } = view;
  const { scroller, content, atEnd, toEnd, goTo } = useStickToEnd();
  const isReady = status === "ready";
  const older = useOlderMessages(session, store, hasMore && isReady);
  const linked = useLinkedMessage({ messages, isReady, hasMore, older, goTo });
  useMarkRead(session, lastFinished(messages), isReady && atEnd);
  const [trouble, setTrouble] = useState<string | null>(null);
  const now = useNow();
  const unseen = useUnseen(messages, atEnd);
  const facts = useAnswerFacts(session, messages);

  const { load } = older;
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const onScroll = () => {
      if (element.scrollTop < 300) load();
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [scroller, load]);

  // What one says oneself, one wants to see.
  const sending = outgoing.length;
  useEffect(() => {
    if (sending > 0) toEnd();
  }, [sending, toEnd]);

  const askAgain = useCallback(
    (n: number) => {
      const before = store
        .getSnapshot()
        .messages.filter((message) => message.n < n && message.role === "user");
      const question = before.at(-1);
      if (!question) {
        setTrouble("The question is not loaded. Scroll up to it, or ask it again below.");
        return;
      }
      setTrouble(null);
      void store.send(question.content);
    },
    [store],
  );

  const verbs = useMemo<MessageVerbs>(
    () => ({
      ask: (content) => {
        setTrouble(null);
        void store.send(content);
      },
      startFrom: (message) => {
        setTrouble(null);
        duplicateSession(session, message.id).then(
          (made) => location.assign(sessionPath(made)),
          (reason: unknown) => setTrouble(LiveError.from(reason).message),
        );
      },
      tell: setTrouble,
    }),
    [session, store],
  );

  const decide = useCallback(
    (stream: string, call: string, approved: boolean) => client.approveTool(stream, call, approved),
    [client],
  );

  const { forget } = linked;
  const jump = () => {
    forget();
    toEnd();
  };

  const isEmpty = status === "ready" && messages.length === 0 && outgoing.length === 0;
  return (
    <main ref={scroller} className="session-main" tabIndex={-1} aria-label="Conversation">
      <div className="messages-older">
        {older.status === "loading" && <p>Loading older messages</p>}
        {older.status === "failed" && (
          <p role="alert">
            {older.error?.message}{" "}
            <button type="button" className="link-button" onClick={load}>
              Try again
            </button>
          </p>
        )}
      </div>
      <div ref={content} className="messages">
        {status === "loading" && messages.length === 0 && <MessagesSkeleton />}
        {isEmpty && <EmptySession canWrite={canWrite} />}
        {messages.map((each, index) => (
          <Fragment key={each.message.id}>
            <NewDay at={each.message.created_at} before={messages[index - 1]?.message.created_at} now={now} />
            {each.message.role === "assistant" ? (
              <Answer
                view={each}
                before={facts.get(each.message.id) ?? null}
                models={models}
                model={model}
                canWrite={canWrite}
                isLinked={each.message.n === linked.n}
                verbs={verbs}
                onRetry={askAgain}
                onDecide={decide}
              />
            ) : (
              <Prompt
                message={each.message}
                mine={each.message.user?.id === me}
                canWrite={canWrite}
                isLinked={each.message.n === linked.n}
                verbs={verbs}
              />
            )}
          </Fragment>
        ))}
        {outgoing.map((each) => (
          <Outgoing key={each.key} message={each} store={store} />
        ))}
        {linked.state === "missing" && (
          <p className="messages-note" role="status">
            The message that the link names is not here.
          </p>
        )}
        {trouble && (
          <p className="hl-error" role="alert">
            {trouble}
          </p>
        )}
        <Cursors scroller={scroller} content={content} store={store} presence={presence} anchorOf={anchorOf} />
      </div>
      {!atEnd && (
        <button type="button" className="jump" onClick={jump}>
          <ArrowDown />
          {unseen > 0 ? `${unseen} new, jump to latest` : "Jump to latest"}
        </button>
      )}
    </main>
  );
}

/** The number of the newest message before any that is still being written; 0 where there is none. */
function lastFinished(messages: SessionView["messages"]): number {
  const open = messages.findIndex(({ isFinished }) => !isFinished);
  return (open < 0 ? messages : messages.slice(0, open)).at(-1)?.message.n ?? 0;
}

/** How many messages came below since the reader was last at the end. */
function useUnseen(messages: SessionView["messages"], atEnd: boolean): number {
  const last = messages.at(-1)?.message.n ?? 0;
  const [seen, setSeen] = useState(last);
  if (atEnd && seen !== last) setSeen(last);
  return messages.filter(({ message }) => message.n > seen).length;
}

function EmptySession({ canWrite }: { canWrite: boolean }): ReactElement {
  return (
    <div className="empty-session">
      <Mark />
      <h2>Nothing has been said yet</h2>
      <p className="hl-muted">
        {canWrite
          ? "Ask something below. Everybody in this session sees the answer as it is written."
          : "The first question and its answer will appear here as they are written."}
      </p>
    </div>
  );
}

function MessagesSkeleton(): ReactElement {
  return (
    <div className="skeleton" role="status">
      <span className="hl-visually-hidden">Loading the conversation</span>
      <span />
      <span />
      <span />
    </div>
  );
}
