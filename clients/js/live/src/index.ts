/** The public face of `@hanzo/live`. */

export { HanzoLiveProvider, useClient, type HanzoLiveProviderProps } from "./provider";
export {
  useHanzoLive,
  type ConversationMessage,
  type HanzoLiveConversation,
  type UseHanzoLiveOptions,
} from "./use-hanzo-live";
export {
  useStreamingCompletion,
  type StreamingCompletion,
  type UseStreamingCompletionOptions,
} from "./use-streaming-completion";
export {
  useCollaborativeSession,
  type Activity,
  type CollaborativeSession,
  type UseCollaborativeSessionOptions,
} from "./use-collaborative-session";
export { useConnection } from "./use-connection";
export { useSessionState, useSessionStore } from "./use-session";
export { streamOf, transcript, type SessionMessage } from "./transcript";
export { CompletionStore, type CompletionListeners, type CompletionState } from "./completion-store";
export { useSharedDraft, type SharedDraft } from "./use-shared-draft";
export {
  DraftStore,
  MAX_CHARACTERS,
  type Aside,
  type DraftState,
  type DraftStoreOptions,
} from "./draft/store";
export { textChange, type TextChange } from "./draft/text-change";
export { useCursors, usePresence, type Presence } from "./use-presence";
export { PresenceStore, type Person, type PersonCursor, type PresenceState } from "./presence/store";
export type { Caret, Cursor, Pointer } from "./presence/cursor";
