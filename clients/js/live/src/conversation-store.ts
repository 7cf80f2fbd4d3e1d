/** A private conversation, framework-free: what was said, and the answer that is being written to it. */

import type { HanzoLiveClient, StreamState } from "@hanzo/live-client";
import { CompletionStore, type CompletionState, type Input } from "./completion-store";

export interface ConversationMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** Of an answer: its thoughts, tool calls and figures; null before the server has started it. */
  readonly stream?: StreamState | null;
}

export interface ConversationState extends CompletionState {
  /** The last one grows while it is written. */
  readonly messages: readonly ConversationMessage[];
}

export class ConversationStore {
  readonly completion: CompletionStore;
  /** Everything up to and with the last question; the answer to it is the completion's. */
  private asked: readonly ConversationMessage[] = [];
  private shown: ConversationState;
  private from: CompletionState;

  constructor(client: HanzoLiveClient, asked?: (store: CompletionStore) => void) {
    this.completion = new CompletionStore(client, asked);
    this.from = this.completion.getSnapshot();
    this.shown = { ...this.from, messages: [] };
  }

  get subscribe(): CompletionStore["subscribe"] {
    return this.completion.subscribe;
  }

  readonly getSnapshot = (): ConversationState => {
    const now = this.completion.getSnapshot();
    if (now !== this.from) {
      this.from = now;
      this.shown = { ...now, messages: withAnswer(this.asked, now) };
    }
    return this.shown;
  };

  /** Says the next thing. Resolves when the answer has ended. Never rejects. */
  readonly send = async (content: string): Promise<void> => {
    if (content.trim() === "") return;
    const said = this.getSnapshot().messages.filter((message) => message.content !== "");
    this.asked = [...said, { role: "user", content }];
    const messages = this.asked.map(({ role, content: text }) => ({ role, content: text }));
    await this.completion.start({ messages });
  };

  /** A text is said as the next message; a whole request takes the conversation's place. */
  readonly start = async (input: Input): Promise<void> => {
    if (typeof input === "string") return this.send(input);
    this.asked = askedIn(input);
    await this.completion.start(input);
  };
}

function withAnswer(
  asked: readonly ConversationMessage[],
  { content, isStreaming, stream }: CompletionState,
): readonly ConversationMessage[] {
  const isAnswered = isStreaming || content !== "" || hasParts(stream);
  if (asked.length === 0 || !isAnswered) return asked;
  return [...asked, { role: "assistant", content, stream }];
}

function hasParts(stream: StreamState | null): boolean {
  return stream !== null && (stream.thoughts.length > 0 || stream.toolCalls.length > 0);
}

function askedIn({ messages, content }: Exclude<Input, string>): ConversationMessage[] {
  if (content !== undefined) return [{ role: "user", content }];
  return (messages ?? []).flatMap(({ role, content: text }) =>
    (role === "user" || role === "assistant") && typeof text === "string" ? [{ role, content: text }] : [],
  );
}
