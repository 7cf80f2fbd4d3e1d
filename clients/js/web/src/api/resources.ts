/** The REST resources that the pages use. */

import type { MemberInfo, Message, Overlap, Role, SessionInfo, User } from "@hanzo/live-client";
import { pathOf, rest } from "./rest";

/** A session as its member sees it in their list. */
export interface SessionSummary extends SessionInfo {
  role: Role;
  updated_at: string;
  /** What others, and answers, said since one read it; of the newest hundred messages only. */
  unread: number;
}

export interface Page<T> {
  results: T[];
  next: string | null;
  previous: string | null;
}

export interface ModelInfo {
  id: string;
  /** A name for people. */
  name?: string;
  owned_by?: string;
}

/** What an owner may set; an empty text takes it away. */
export interface SessionFields {
  title: string;
  model: string;
  slug: string;
  system_prompt: string;
  overlap: Overlap;
}

/** A session by its title, or one of its messages. */
export interface Found {
  session: { id: string; slug: string | null; title: string; archived: boolean };
  message: { id: string; n: number; role: Message["role"]; user: User | null; created_at: string } | null;
  /** `marks` are [start, end) in code points of `text`, which is plain text. */
  snippet: { text: string; marks: [start: number, end: number][] };
}

/** How the stream of an answer went. */
export interface AnswerFacts {
  /** The answer; null for what belongs to no message. */
  message: string | null;
  model: string | null;
  stopped_by: User | null;
  usage: { completion_tokens: number } | null;
  cached: "exact" | "semantic" | null;
  timings: { duration_ms: number | null; tokens_per_second: number | null } | null;
}

const inSession = (ref: string) => `sessions/${encodeURIComponent(ref)}`;

export const listSessions = (query: { archived: boolean; limit: number }, signal?: AbortSignal) =>
  rest<Page<SessionSummary>>(`sessions?limit=${query.limit}${query.archived ? "&archived=true" : ""}`, {
    signal,
  });

/** The page of a list that `next` of another one names. */
export const nextPage = <T>(next: string) => rest<Page<T>>(pathOf(next));

export const search = (words: string, signal?: AbortSignal) =>
  rest<Page<Found>>(`search?q=${encodeURIComponent(words)}`, { signal });

export const createSession = (body: Partial<SessionFields>) =>
  rest<SessionSummary>("sessions", { method: "POST", body });

export const changeSession = (ref: string, body: Partial<SessionFields> & { archived?: boolean }) =>
  rest<SessionSummary>(inSession(ref), { method: "PATCH", body });

/** Nothing is deleted unless `title` is the session's. */
export const deleteSession = (ref: string, title: string) =>
  rest(`${inSession(ref)}?confirm=${encodeURIComponent(title)}`, { method: "DELETE" });

/** A new session of one's own with the messages up to `fromMessage`, or all of them. */
export const duplicateSession = (ref: string, fromMessage?: string) =>
  rest<SessionSummary>(`${inSession(ref)}/duplicate`, {
    method: "POST",
    body: fromMessage === undefined ? {} : { from_message: fromMessage },
  });

/** A page of messages, oldest first within it; without `next` the newest. */
export const listMessages = (ref: string, next?: string | null) =>
  rest<Page<Message>>(next ? pathOf(next) : `${inSession(ref)}/messages?limit=50`);

/** How the answers among messages `first` to `last` (their numbers) went, without their texts. */
export const listAnswerFacts = (ref: string, first: number, last: number, signal?: AbortSignal) =>
  rest<Page<AnswerFacts>>(
    `${inSession(ref)}/streams?after_n=${first - 1}&before_n=${last + 1}&content=false&limit=200`,
    { signal },
  ).then(({ results }) => results);

/** One has read the messages up to number `n`. */
export const markRead = (ref: string, n: number) =>
  rest(`${inSession(ref)}/read`, { method: "POST", body: { n } });

export const changeRole = (ref: string, user: string, role: Role) =>
  rest<MemberInfo>(`${inSession(ref)}/members/${encodeURIComponent(user)}`, {
    method: "PATCH",
    body: { role },
  });

export const removeMember = (ref: string, user: string) =>
  rest(`${inSession(ref)}/members/${encodeURIComponent(user)}`, { method: "DELETE" });

export const listModels = (signal?: AbortSignal) =>
  rest<{ data: ModelInfo[] }>("models", { signal }).then(({ data }) => data);
