/** A private conversation: messages, and a function to say the next one. */

import type { ChatMessage, LiveError } from "@hanzo/live-client";
import { useCallback, useMemo, useState } from "react";
import { useClient } from "./provider";
import { useCompletionState, useCompletionStore } from "./use-streaming-completion";

export interface ConversationMessage {
  role: "user" | "assistant";
  content: string;
}

export interface UseHanzoLiveOptions {
  url?: string;
  model?: string;
}

export interface HanzoLiveConversation {
  /** The last one grows while it is written. */
  messages: ConversationMessage[];
  isStreaming: boolean;
  error: LiveError | null;
  sendMessage: (content: string) => Promise<void>;
  /** The same as `sendMessage`. */
  start: (content: string) => Promise<void>;
  stop: () => Promise<void>;
  /** Asks the last question again. */
  retry: () => Promise<void>;
}

export function useHanzoLive({ url, model }: UseHanzoLiveOptions = {}): HanzoLiveConversation {
  const store = useCompletionStore(useClient(url), {});
  const { content, isStreaming, error } = useCompletionState(store);
  // Everything up to and with the last question; the answer to it is the store's.
  const [asked, setAsked] = useState<ConversationMessage[]>([]);

  const messages = useMemo(() => {
    const answered = asked.length > 0 && (content !== "" || isStreaming);
    return answered ? [...asked, { role: "assistant" as const, content }] : asked;
  }, [asked, content, isStreaming]);

  const sendMessage = useCallback(
    async (text: string) => {
      if (text.trim() === "") return;
      const before = messages.filter((message) => message.content !== "");
      const next: ConversationMessage[] = [...before, { role: "user", content: text }];
      setAsked(next);
      await store.start({ model, messages: next satisfies ChatMessage[] });
    },
    [store, model, messages],
  );
  const retry = useCallback(() => store.retry(), [store]);

  return { messages, isStreaming, error, sendMessage, start: sendMessage, stop: store.stop, retry };
}
