/** Who is there, and what they do. */

import type { Person } from "@hanzo/live";
import type { ReactElement } from "react";
import { PresenceBar, TypingLine } from "../src";
import { Show, State } from "./Show";

const person = (name: string, fields: Partial<Person> = {}): Person => ({
  user: { id: name, name, avatar: null },
  isMe: false,
  status: "active",
  isTyping: false,
  isAsking: false,
  ...fields,
});

const PEOPLE = [
  person("Ada Lovelace", { isTyping: true }),
  person("Grace Hopper", { isAsking: true }),
  person("Alan Turing", { status: "idle" }),
  person("Edsger Dijkstra"),
  person("You", { isMe: true }),
];

export function Presences(): ReactElement {
  return (
    <>
      <Show name="PresenceBar">
        <State name="A few">
          <PresenceBar people={PEOPLE} total={5} isSummarised={false} />
        </State>
        <State name="So many that nobody is named">
          <PresenceBar people={[]} total={4812} isSummarised />
        </State>
      </Show>
      <Show name="TypingLine">
        <State name="Two who do something">
          <TypingLine people={PEOPLE} />
        </State>
      </Show>
    </>
  );
}
