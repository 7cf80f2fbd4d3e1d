/** The REST resources that the pages use. */

import type { MemberInfo, Message, Role, SessionInfo } from "@hanzo/live-client";
import { pathOf, rest } from "./rest";

export interface SessionSummary extends SessionInfo {
  role: Role;
  updated_at: string;
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

const inSession = (ref: string) => `/v1/sessions/${encodeURIComponent(ref)}`;

export const listSessions = (signal?: AbortSignal, next?: string) =>
  rest<Page<SessionSummary>>(next ? pathOf(next) : "/v1/sessions?limit=30", { signal });

export const createSession = (body: { title: string; model?: string }) =>
  rest<SessionSummary>("/v1/sessions", { method: "POST", body });

export const renameSession = (ref: string, title: string) =>
  rest<SessionSummary>(inSession(ref), { method: "PATCH", body: { title } });

/** A new session of one's own with everything up to the message `from`. */
export const duplicateSession = (ref: string, from: string) =>
  rest<SessionSummary>(`${inSession(ref)}/duplicate`, { method: "POST", body: { from_message: from } });

/** A page of messages, oldest first within it; without `next` the newest. */
export const listMessages = (ref: string, next?: string | null) =>
  rest<Page<Message>>(next ? pathOf(next) : `${inSession(ref)}/messages?limit=50`);

export const addMember = (ref: string, email: string, role: Role) =>
  rest<MemberInfo>(`${inSession(ref)}/members`, { method: "POST", body: { email, role } });

export const changeRole = (ref: string, user: string, role: Role) =>
  rest<MemberInfo>(`${inSession(ref)}/members/${encodeURIComponent(user)}`, {
    method: "PATCH",
    body: { role },
  });

export const removeMember = (ref: string, user: string) =>
  rest(`${inSession(ref)}/members/${encodeURIComponent(user)}`, { method: "DELETE" });

export const listModels = (signal?: AbortSignal) =>
  rest<{ data: ModelInfo[] }>("/v1/models", { signal }).then(({ data }) => data);
