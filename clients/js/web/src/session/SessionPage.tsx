/** One session: its head, what is said, what is being written, and where to say the next thing. */

import { useClient, usePresence, useSessionState, useSessionStore } from "@hanzo/live";
import { TypingLine } from "@hanzo/live-ui";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { defaultModel, modelName, useModels } from "../api/use-models";
import type { PageConfig } from "../config";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { EndedNotice } from "./EndedNotice";
import { LiveBar } from "./LiveBar";
import { MessageList } from "./MessageList";
import { PeopleDialog } from "./PeopleDialog";
import { rightsOf } from "./rights";
import { SessionHead } from "./SessionHead";
import { SessionMenu } from "./SessionMenu";
import { useOwnAddress } from "./use-own-address";
import { toView } from "./view";

interface SessionPageProps {
  /** Id or slug, as in the address. */
  session: string;
  config: PageConfig;
}

export function SessionPage({ session, config }: SessionPageProps): ReactElement {
  const client = useClient();
  const store = useSessionStore(client, session, { showThoughts: true, tail: 50 });
  const state = useSessionState(store);
  const presence = usePresence(store);
  const models = useModels();
  const [peopleOpen, setPeopleOpen] = useState(false);
  const rights = rightsOf(state, config.user.id);
  const view = useMemo(() => toView(state), [state]);

  const modelId = state.session?.model ?? defaultModel(models, config.model);
  const model = modelId === null ? null : modelName(models, modelId);

  const isConnected = state.connection.status === "live";
  const title = state.session?.title;
  useEffect(() => {
    document.title = title ? `${title} · Hanzo Live` : "Hanzo Live";
  }, [title]);

  useOwnAddress(state.session);

  // Shown for as long as there is something to read; without a first snapshot there is only the reason.
  const refused = state.status === "ended" && state.session === null;

  return (
    <div className="session">
      {state.status === "ended" ? (
        <a className="skip-link" href="#ended">
          Skip to why access ended
        </a>
      ) : (
        <a className="skip-link" href="#composer">
          Skip to the message field
        </a>
      )}
      <SessionHead
        session={session}
        state={state}
        presence={presence}
        model={model}
        config={config}
        canManage={rights.manage}
        onPeople={() => setPeopleOpen(true)}
        onReconnect={() => client.retryNow()}
        menu={
          state.session &&
          rights.role && (
            <SessionMenu session={state.session} role={rights.role} models={models} config={config} />
          )
        }
      />
      {refused ? (
        <main className="session-main">
          <EndedNotice error={state.endedBy} config={config} />
        </main>
      ) : (
        <>
          <MessageList
            session={session}
            store={store}
            presence={presence.store}
            view={view}
            status={state.status}
            hasMore={state.hasMore}
            models={models}
            model={model}
            me={config.user.id}
            canWrite={rights.write}
          />
          <footer className="session-foot">
            {state.status === "ended" ? (
              <EndedNotice error={state.endedBy} config={config} />
            ) : (
              <>
                <LiveBar
                  view={view}
                  me={config.user.id}
                  isConnected={isConnected}
                  canStop={rights.write}
                  store={store}
                />
                <TypingLine people={presence.people} />
                <Composer
                  me={config.user.id}
                  store={store}
                  presence={presence.store}
                  view={view}
                  state={state}
                  rights={rights}
                />
              </>
            )}
          </footer>
        </>
      )}
      <Announcer messages={state.messages} />
      {peopleOpen && (
        <PeopleDialog
          session={session}
          // Who is here is only known while we are told.
          state={presence.total === null ? { ...state, present: {} } : state}
          me={config.user.id}
          canManage={rights.manage}
          onClose={() => setPeopleOpen(false)}
        />
      )}
    </div>
  );
}
