/** Makes a link by which people join: as what, how many, and until when. */

import type { InvitedRole, Invitations } from "@hanzo/live";
import { LiveError } from "@hanzo/live-client";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { Field } from "../ui/Field";
import { INVITED_ROLES } from "./roles";
import { ShownOnce } from "./ShownOnce";

const HOUR = 3600;
const DAY = 24 * HOUR;
const TIMES: readonly [seconds: number, words: string][] = [
  [HOUR, "1 hour"],
  [DAY, "1 day"],
  [7 * DAY, "7 days"],
  [30 * DAY, "30 days"],
];
const USES: readonly number[] = [1, 5, 25, 100];

export function InviteLink({ makeLink }: Pick<Invitations, "makeLink">): ReactElement {
  const [role, setRole] = useState<InvitedRole>("editor");
  const [seconds, setSeconds] = useState(7 * DAY);
  const [uses, setUses] = useState(1);
  const [busy, setBusy] = useState(false);
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<LiveError | null>(null);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setUrl(null);
    setError(null);
    makeLink({ role, expires_in: seconds, max_uses: uses })
      .then(
        (made) => setUrl(made.url),
        (reason: unknown) => setError(LiveError.from(reason)),
      )
      .finally(() => setBusy(false));
  };

  return (
    <details className="hl-invite-link">
      <summary>Invite by a link</summary>
      <form onSubmit={submit}>
        <Field label="Whoever has it joins as">
          {(control) => (
            <select
              {...control}
              value={role}
              onChange={(event) => setRole(event.target.value as InvitedRole)}
            >
              {INVITED_ROLES.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Good for">
          {(control) => (
            <select
              {...control}
              value={seconds}
              onChange={(event) => setSeconds(Number(event.target.value))}
            >
              {TIMES.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="How many may use it">
          {(control) => (
            <select {...control} value={uses} onChange={(event) => setUses(Number(event.target.value))}>
              {USES.map((count) => (
                <option key={count} value={count}>
                  {count === 1 ? "1 person" : `${count} people`}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit" className="hl-button" disabled={busy}>
          Make a link
        </button>
      </form>
      {error && (
        <p className="hl-error" role="alert">
          {error.message}
        </p>
      )}
      <div role="status">{url !== null && <ShownOnce url={url} />}</div>
    </details>
  );
}
