/** Who is in the session now: a few faces in its head, and a list of everybody with what they do. */

import type { Person, PresenceState } from "@hanzo/live";
import { useEffect, useId, useRef, useState, type ReactElement } from "react";
import { Avatar } from "../ui/Avatar";
import { doingOf, whoIsHere } from "./doing";

const FACES = 3;
const FACES_ON_A_PHONE = 2;

export function PresenceBar({ people, total, isSummarised }: PresenceState): ReactElement | null {
  const [isOpen, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const list = useId();

  useEffect(() => {
    if (!isOpen) return undefined;
    const listening = new AbortController();
    const { signal } = listening;
    const onOutside = ({ target }: Event) => {
      if (target instanceof Node && !around.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onOutside, { signal });
    document.addEventListener("focusin", onOutside, { signal });
    return () => listening.abort();
  }, [isOpen]);

  if (total === null) return null;
  if (isSummarised) return <Crowd total={total} />;
  return (
    <div
      ref={around}
      className="hl-here"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        setOpen(false);
      }}
    >
      <button
        type="button"
        className="hl-here-button"
        aria-label={whoIsHere(people, total)}
        aria-expanded={isOpen}
        aria-controls={list}
        onClick={() => setOpen(!isOpen)}
      >
        {people.slice(0, FACES).map((person) => (
          <Face key={person.user.id} person={person} />
        ))}
        <span className="hl-here-more" data-more={beyond(people, FACES)} />
        <span className="hl-here-more hl-here-more-phone" data-more={beyond(people, FACES_ON_A_PHONE)} />
      </button>
      {isOpen && (
        <div id={list} className="hl-here-list">
          <h2>Here now</h2>
          <ul>
            {people.map((person) => (
              <li key={person.user.id}>
                <Face person={person} />
                <span className="hl-here-name">
                  {person.user.name}
                  {person.isMe && <span className="hl-muted"> (you)</span>}
                </span>
                <span className="hl-muted">{doingOf(person)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** "+2", of those who are not among the first `count`; nothing where all are. */
function beyond(people: readonly Person[], count: number): string | undefined {
  return people.length > count ? `+${people.length - count}` : undefined;
}

function Face({ person }: { person: Person }): ReactElement {
  const { user, status, isTyping } = person;
  const state = isTyping ? "hl-face-typing" : status === "idle" ? "hl-face-idle" : "hl-face-active";
  return (
    <span className={`hl-face ${state}`}>
      <Avatar src={user.avatar} name={user.name} size="small" />
    </span>
  );
}

/** So many that nobody is named. */
function Crowd({ total }: { total: number }): ReactElement {
  return (
    <p className="hl-here-crowd">
      <span className="hl-here-dot" aria-hidden="true" />
      {total.toLocaleString("en")} <span className="hl-here-crowd-word">here</span>
    </p>
  );
}
