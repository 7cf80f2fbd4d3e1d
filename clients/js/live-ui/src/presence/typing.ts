/** What others are doing, in one line of words. */

import type { Person } from "@hanzo/live";

/** Names are told of so many; more are counted. */
const NAMED = 2;

/** "Ada and Bo are typing", "Ada is asking the model", or both; empty where nobody does anything. */
export function typingText(people: readonly Person[]): string {
  const others = people.filter(({ isMe }) => !isMe);
  const typing = others.filter(({ isTyping }) => isTyping);
  const asking = others.filter(({ isTyping, isAsking }) => isAsking && !isTyping);
  return [sentence(typing, "typing"), sentence(asking, "asking the model")].filter(Boolean).join(" · ");
}

function sentence(people: readonly Person[], doing: string): string {
  const names = people.map(({ user }) => user.name);
  if (names.length === 0) return "";
  if (names.length > NAMED) return `${names.length} people are ${doing}`;
  return `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} ${doing}`;
}
