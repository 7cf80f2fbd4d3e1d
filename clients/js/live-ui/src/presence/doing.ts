/** What one person does, in a word or two. */

import type { Person } from "@hanzo/live";

export function doingOf({ status, isTyping, isAsking }: Person): string {
  if (isTyping) return "typing";
  if (isAsking) return "asking the model";
  return status === "idle" ? "idle" : "here";
}

/** "Here now: Ada (typing), Bo and you", for those who do not see the faces. */
export function whoIsHere(people: readonly Person[], total: number | null): string {
  if (people.length === 0) return total === null ? "" : `${total} people are here now`;
  const names = people.map((person) => {
    const name = person.isMe ? "you" : person.user.name;
    const doing = doingOf(person);
    return doing === "here" || person.isMe ? name : `${name} (${doing})`;
  });
  const last = names.pop() ?? "";
  return `Here now: ${names.length > 0 ? `${names.join(", ")} and ${last}` : last}`;
}
