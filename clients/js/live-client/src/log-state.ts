/**
 * What a log amounts to, and how each event changes it. Pure and immutable: what an event does not touch keeps its
 * identity, so that a view can tell. Order, gaps and duplicates are `log-position.ts`'s.
 */

import { replyParts } from "./reply-parts";
import {
  foldStream,
  isOfStream,
  isOver,
  newStream,
  streamFromSnapshot,
  type OfStream,
  type StreamState,
} from "./stream-state";
import type {
  LogEvent,
  MemberInfo,
  Message,
  PresenceUser,
  SessionInfo,
  SnapshotState,
  User,
} from "./protocol.generated";

export interface LogState {
  readonly session: SessionInfo | null;
  readonly members: readonly MemberInfo[];
  /** In the order of posting. */
  readonly messages: readonly Message[];
  /** Older messages exist that are not here. */
  readonly hasMore: boolean;
  /** By id; those that ended while we watched stay. */
  readonly streams: Readonly<Record<string, StreamState>>;
  /** By id of the user; empty where the server tells no presence, or too many are here to be listed. */
  readonly present: Readonly<Record<string, PresenceUser>>;
  /** How many people are here; null where the server does not tell. */
  readonly presentTotal: number | null;
  /** Too many people are here to be listed: only `presentTotal` says. */
  readonly summarised: boolean;
}

export const EMPTY_LOG: LogState = {
  session: null,
  members: [],
  messages: [],
  hasMore: false,
  streams: {},
  present: {},
  presentTotal: null,
  summarised: false,
};

/** The state after `event`; the same object where nothing changed. What else a `State` has stays as it is. */
export function foldLog<State extends LogState>(state: State, event: LogEvent): State {
  return fold(state, event) as State;
}

function fold(state: LogState, event: LogEvent): LogState {
  if (event.type === "snapshot") return foldSnapshot(state, event.state);
  if (isOfStream(event)) return foldOfStream(state, event);
  switch (event.type) {
    case "message":
      return withMessages(state, [event.message]);
    case "member":
      return foldMember(state, event.action, event.user, event.role ?? null);
    case "session":
      return {
        ...state,
        session: { ...(state.session as SessionInfo), ...(event.session as Partial<SessionInfo>) },
      };
    case "presence":
      return {
        ...state,
        present: foldPresence(state.present, event.users ?? null, event.changes ?? null),
        presentTotal: event.total ?? null,
        summarised: event.summarised ?? false,
      };
    default:
      return state;
  }
}

/** With `messages` added, or put in the place of those with their ids. */
export function withMessages<State extends LogState>(state: State, messages: readonly Message[]): State {
  let next = state.messages;
  for (const message of messages) next = putMessage(next, message);
  return next === state.messages ? state : { ...state, messages: next };
}

function putMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const known = messages.find(({ id }) => id === message.id);
  if (known) {
    // A snapshot may be read from a database that is ahead of the log: what has ended does not begin again.
    if (isOver(known.status) && !isOver(message.status)) return messages;
    return messages.map((each) => (each === known ? message : each));
  }
  const last = messages.at(-1);
  if (!last || last.n < message.n) return [...messages, message];
  const at = messages.findIndex(({ n }) => n > message.n);
  return [...messages.slice(0, at), message, ...messages.slice(at)];
}

function foldSnapshot(state: LogState, snapshot: SnapshotState): LogState {
  const streams: Record<string, StreamState> = {};
  for (const stream of snapshot.streams)
    streams[stream.id] = streamFromSnapshot(stream, state.streams[stream.id]);
  // What ended here is not in a snapshot, but is still worth its figures while its message is shown.
  for (const message of snapshot.messages) {
    const before = message.stream ? state.streams[message.stream] : undefined;
    if (before && !streams[before.id] && isOver(before.status)) streams[before.id] = before;
  }
  const older = olderThan(state.messages, snapshot.messages);
  return {
    ...state,
    session: snapshot.session,
    members: snapshot.members,
    messages: [...older, ...snapshot.messages],
    hasMore: older.length > 0 ? state.hasMore : snapshot.has_more,
    streams,
  };
}

/** Of the messages had, those before the snapshot's; none if there would be a hole between. */
function olderThan(had: readonly Message[], snapshot: readonly Message[]): readonly Message[] {
  const first = snapshot[0];
  const last = had.at(-1);
  if (!first || !last || last.n < first.n - 1) return [];
  return had.filter(({ n }) => n < first.n);
}

function foldMember(state: LogState, action: string, user: User, role: MemberInfo["role"] | null): LogState {
  const others = state.members.filter((member) => member.user.id !== user.id);
  if (action === "left" || action === "removed" || role === null) return { ...state, members: others };
  const known = others.length < state.members.length;
  const members = known
    ? state.members.map((member) => (member.user.id === user.id ? { user, role } : member))
    : [...state.members, { user, role }];
  return { ...state, members };
}

function foldPresence(
  present: LogState["present"],
  users: readonly PresenceUser[] | null,
  changes: readonly PresenceUser[] | null,
): LogState["present"] {
  const next: Record<string, PresenceUser> = users ? {} : { ...present };
  for (const each of users ?? changes ?? []) {
    if (each.left) Reflect.deleteProperty(next, each.user.id);
    else next[each.user.id] = each;
  }
  return next;
}

function foldOfStream(state: LogState, event: OfStream): LogState {
  const before = state.streams[event.stream] ?? recall(state, event);
  const after = foldStream(before, event);
  if (after === before && state.streams[event.stream]) return state;
  const streams = { ...state.streams, [event.stream]: after };
  const ended = !isOver(before.status) && isOver(after.status);
  const messages = ended
    ? changeMessage(state.messages, after.message, {
        status: after.status,
        finish_reason: after.finishReason,
        content: after.content,
        parts: replyParts(after.thoughts, after.toolCalls, after.error, after.thoughtsMs),
      })
    : event.type === "stream_start"
      ? changeMessage(state.messages, after.message, { status: "streaming" })
      : state.messages;
  return { ...state, streams, messages };
}

/** A stream seen first here may have ended in the transcript already; then its events say nothing new. */
function recall(state: LogState, event: OfStream): StreamState {
  const fresh = newStream(event.stream);
  const message = state.messages.find(({ stream }) => stream === event.stream);
  if (!message) return fresh;
  const known = { ...fresh, message: message.id, user: message.user };
  if (!isOver(message.status)) return known;
  return { ...known, status: message.status, content: message.content, finishReason: message.finish_reason };
}

/** The transcript's message of a stream follows it when it starts and when it ends. */
function changeMessage(
  messages: readonly Message[],
  id: string | null,
  changes: Partial<Message>,
): readonly Message[] {
  if (id === null) return messages;
  return messages.map((message) => (message.id === id ? { ...message, ...changes } : message));
}
