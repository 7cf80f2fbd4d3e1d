/** How answers went that ended before the page was opened: who stopped them, how long they are, how fast they came. */

import { useEffect, useRef, useState } from "react";
import { listAnswerFacts, type AnswerFacts } from "../api/resources";
import type { MessageView } from "./view";

export type FactsByMessage = ReadonlyMap<string, AnswerFacts>;

const NONE: FactsByMessage = new Map();

/** Asked for once for each page of messages. What cannot be had is left out: an answer says enough without it. */
export function useAnswerFacts(session: string, messages: readonly MessageView[]): FactsByMessage {
  const [facts, setFacts] = useState(NONE);
  const asked = useRef(new Set<string>());

  useEffect(() => {
    const missing = messages.filter(
      ({ message, stream, isFinished }) =>
        isFinished && stream === null && message.stream !== null && !asked.current.has(message.id),
    );
    const [first, last] = [missing[0], missing.at(-1)];
    if (!first || !last) return;
    for (const { message } of missing) asked.current.add(message.id);
    listAnswerFacts(session, first.message.n, last.message.n).then(
      (found) =>
        setFacts((known) => {
          const all = new Map(known);
          for (const each of found) if (each.message !== null) all.set(each.message, each);
          return all;
        }),
      () => undefined,
    );
  }, [session, messages]);

  return facts;
}
