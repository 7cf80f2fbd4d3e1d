/** A private conversation: messages, and a function to say the next one. */

import type { ConversationMessage } from "./conversation-store";
import { withModel, type Asking, type AskOptions } from "./use-completion";
import { useConversation } from "./use-conversation";

export type UseHanzoLiveOptions = AskOptions;

export interface HanzoLiveConversation extends Asking {
  /** The last one grows while it is written. */
  messages: ConversationMessage[];
  /** Says the next thing. Resolves when the answer has ended; never rejects. */
  sendMessage: (content: string) => Promise<void>;
}

export function useHanzoLive({ url, model }: UseHanzoLiveOptions = {}): HanzoLiveConversation {
  const { store, state } = useConversation(url, withModel(model));
  const { messages, isStreaming, error } = state;
  const { start, send: sendMessage, completion } = store;
  const { stop, retry } = completion;
  return { messages: messages as ConversationMessage[], isStreaming, error, sendMessage, start, stop, retry };
}
