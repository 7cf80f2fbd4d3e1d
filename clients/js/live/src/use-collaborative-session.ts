/** A shared session: what is said, who is here, and what they do. */

import {
  isOver,
  LiveError,
  type ConnectionState,
  type Role,
  type SessionState,
  type SessionStore,
  type User,
} from "@hanzo/live-client";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useClient } from "./provider";
import { transcript, type SessionMessage } from "./transcript";
import { useSessionState, useSessionStore } from "./use-session";

export type Activity = "idle" | "active" | "typing" | "thinking";

export interface UseCollaborativeSessionOptions {
  /** Id or slug. */
  sessionId: string;
  /** Only compared with the signed-in user, whose identity counts. */
  userId?: string;
  url?: string;
  model?: string;
}

export interface CollaborativeSession {
  messages: SessionMessage[];
  /** Who is connected, where the server tells. */
  users: User[];
  userActivity: Record<string, Activity>;
  isStreaming: boolean;
  connection: ConnectionState;
  error: LiveError | null;
  sendMessage: (content: string) => Promise<void>;
  /** The same as `sendMessage`. */
  start: (content: string) => Promise<void>;
  /** Stops the answer that is being written. */
  stop: () => Promise<void>;
  /** Sends what failed to be sent again; else asks the last question again. */
  retry: () => Promise<void>;
  /** Gives the link to send, this once. Rejects with a LiveError. */
  inviteUser: (email: string, role?: Role) => Promise<{ invitation: string; url: string }>;
  /** The session's own store, for `usePresence` and `useSharedDraft`. */
  store: SessionStore;
}

export function useCollaborativeSession(options: UseCollaborativeSessionOptions): CollaborativeSession {
  const { sessionId, userId, url, model } = options;
  const client = useClient(url);
  const store = useSessionStore(client, sessionId);
  const state = useSessionState(store);
  const [failure, setFailure] = useState<LiveError | null>(null);

  useEffect(() => {
    if (userId === undefined || state.connection.status !== "live") return;
    const signedIn = client.user?.id;
    if (signedIn !== userId) {
      console.warn(
        `useCollaborativeSession: userId is ${userId}, but the signed-in user is ${signedIn ?? "nobody"}.`,
      );
    }
  }, [client, userId, state.connection.status]);

  const messages = useMemo(() => transcript(state), [state]);
  const users = useMemo(() => Object.values(state.present).map(({ user }) => user), [state.present]);
  const userActivity = useMemo(() => activity(state), [state]);
  const failed = state.outgoing.find(({ status }) => status === "failed");

  const sendMessage = useCallback((content: string) => store.send(content, { model }), [store, model]);
  const stop = useCallback(async () => {
    try {
      const writing = transcript(store.getSnapshot()).filter(({ isStreaming }) => isStreaming);
      await Promise.all(writing.flatMap(({ stream }) => (stream === null ? [] : [store.stop(stream)])));
      setFailure(null);
    } catch (reason) {
      setFailure(LiveError.from(reason));
    }
  }, [store]);
  const retry = useCallback(async () => {
    if (failed) return store.resend(failed.key);
    const question = store.getSnapshot().messages.findLast(({ role }) => role === "user");
    if (question) await store.send(question.content, { model });
  }, [store, model, failed]);
  const inviteUser = useCallback(
    (email: string, role: Role = "editor") => client.invite(sessionId, email, role),
    [client, sessionId],
  );

  return {
    messages,
    users,
    userActivity,
    isStreaming: messages.some(({ isStreaming }) => isStreaming),
    connection: state.connection,
    error: failed?.error ?? failure ?? state.endedBy,
    sendMessage,
    start: sendMessage,
    stop,
    retry,
    inviteUser,
    store,
  };
}

/** `thinking` is whoever waits for an answer that is being written. */
function activity({ present, streams }: SessionState): Record<string, Activity> {
  const activities: Record<string, Activity> = {};
  for (const { user, typing, status } of Object.values(present))
    activities[user.id] = typing ? "typing" : status;
  for (const { user, status } of Object.values(streams)) {
    if (user && !isOver(status) && activities[user.id] !== "typing") activities[user.id] = "thinking";
  }
  return activities;
}
