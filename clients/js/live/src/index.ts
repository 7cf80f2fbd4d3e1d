/** The public face of `@hanzo/live`. */

export { HanzoLiveProvider, useClient, type HanzoLiveProviderProps } from "./provider";
export { useHanzoLive, type HanzoLiveConversation, type UseHanzoLiveOptions } from "./use-hanzo-live";
export {
  useStreamingCompletion,
  type StreamingCompletion,
  type UseStreamingCompletionOptions,
} from "./use-streaming-completion";
export { useThoughtStream, type ThoughtStream, type UseThoughtStreamOptions } from "./use-thought-stream";
export { useToolStream, type ToolStream, type UseToolStreamOptions } from "./use-tool-stream";
export {
  useStreamingProgress,
  type StreamingProgress,
  type UseStreamingProgressOptions,
} from "./use-streaming-progress";
export { useLatestAnswer } from "./use-latest-answer";
export {
  useCollaborativeSession,
  type Activity,
  type CollaborativeSession,
  type UseCollaborativeSessionOptions,
} from "./use-collaborative-session";
export {
  useInvitations,
  type Added,
  type Invitations,
  type UseInvitationsOptions,
} from "./invitations/use-invitations";
export type { Invitation, InvitationRequest, InvitedRole, NewInvitation } from "./invitations/resources";
export { useConnection } from "./use-connection";
export { useSessionState, useSessionStore } from "./use-session";
export { streamOf, transcript, type SessionMessage } from "./transcript";
export {
  CompletionStore,
  type CompletionListeners,
  type CompletionSettings,
  type CompletionState,
  type Input,
} from "./completion-store";
export { ConversationStore, type ConversationMessage, type ConversationState } from "./conversation-store";
export type { Asking, AskOptions } from "./use-completion";
export type { ToolCall, ToolResult } from "./tools/calls";
export type { ClientTool, ToolParameters, ToolRun } from "./tools/client-tool";
export { useSharedDraft, type SharedDraft } from "./use-shared-draft";
export { DraftStore, MAX_CHARACTERS, type DraftStoreOptions } from "./draft/store";
export type { Aside, DraftState } from "./draft/state";
export { textChange, type TextChange } from "./draft/text-change";
export { useCursors, usePresence, type Presence } from "./use-presence";
export { PresenceStore, type Person, type PersonCursor, type PresenceState } from "./presence/store";
export type { Caret, Cursor, Pointer } from "./presence/cursor";
