/** A private conversation with a model: what was said, thoughts and tools where they are wanted, and the next thing to say. */

import { useToolStream, type ClientTool, type ToolStream } from "@hanzo/live";
import { useEffect, type ReactElement } from "react";
import { ErrorMessage } from "../ui/ErrorMessage";
import { useStickToEnd } from "../ui/use-stick-to-end";
import { ChatAnswer } from "./ChatAnswer";
import { ChatField } from "./ChatField";

export interface AIChatProps {
  /** Default: the provider's. */
  url?: string;
  model?: string;
  /** Shows answers as they are written (default true); false: once they are whole. */
  streaming?: boolean;
  showThoughts?: boolean;
  /** Lets the model call tools: `tools`, or else what the server and its MCP servers offer. */
  enableTools?: boolean;
  tools?: readonly ClientTool[];
  /** What the conversation is called. */
  label?: string;
  placeholder?: string;
  /** Shown while nothing has been said. */
  emptyText?: string;
}

export function AIChat(props: AIChatProps): ReactElement {
  const { url, model, streaming = true, showThoughts = false, enableTools = false } = props;
  const { label = "Chat", placeholder = "Ask something", emptyText = "Nothing has been said yet." } = props;
  const live = useToolStream({
    showThoughts,
    ...(url === undefined ? {} : { url }),
    ...(model === undefined ? {} : { model }),
    ...(enableTools ? { tools: props.tools ?? "auto" } : {}),
  });
  const { messages, isStreaming, error } = live;
  const { scroller, content, toEnd } = useStickToEnd<HTMLDivElement>();
  // What one says oneself, one wants to see.
  const { length } = messages;
  useEffect(toEnd, [length, toEnd]);
  return (
    <section className="hl-chat" aria-label={label}>
      <div ref={scroller} className="hl-chat-scroller" tabIndex={0} aria-label="Conversation" role="region">
        <div ref={content} className="hl-chat-messages">
          {length === 0 && <p className="hl-chat-empty">{emptyText}</p>}
          {messages.map((message, index) =>
            message.role === "user" ? (
              <article key={index} className="hl-chat-prompt" aria-label="You said">
                {message.content}
              </article>
            ) : (
              <ChatAnswer
                key={index}
                message={message}
                isWriting={isStreaming && index === length - 1}
                isShown={streaming}
                showThoughts={showThoughts}
                decide={live.approve}
              />
            ),
          )}
          {error && <ErrorMessage error={error} onRetry={retryOf(live)} />}
        </div>
      </div>
      <ChatField
        placeholder={placeholder}
        isStreaming={isStreaming}
        onSend={(text) => void live.sendMessage(text)}
        onStop={() => void live.stop()}
      />
    </section>
  );
}

/** Where nothing was asked, or an answer is being written, there is nothing to try again. */
function retryOf({ messages, isStreaming, retry }: ToolStream): (() => Promise<void>) | undefined {
  return messages.length > 0 && !isStreaming ? retry : undefined;
}
