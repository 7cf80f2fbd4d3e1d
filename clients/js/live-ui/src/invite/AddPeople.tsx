/**
 * Brings somebody in by their address: who has an account here is a member at once, others are mailed an invitation.
 * The server tells an owner which of the two it is, and nobody else.
 */

import type { Added, InvitedRole, Invitations } from "@hanzo/live";
import { LiveError } from "@hanzo/live-client";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { Field } from "../ui/Field";
import { ShownOnce } from "./ShownOnce";
import { INVITED_ROLES } from "./roles";

export function AddPeople({ add }: Pick<Invitations, "add">): ReactElement {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<InvitedRole>("editor");
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Added | null>(null);
  const [error, setError] = useState<LiveError | null>(null);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setOutcome(null);
    setError(null);
    add(email.trim(), role)
      .then(
        (done) => {
          setEmail("");
          setOutcome(done);
        },
        (reason: unknown) => setError(LiveError.from(reason)),
      )
      .finally(() => setBusy(false));
  };

  return (
    <form className="hl-add-people" onSubmit={submit}>
      <Field label="Add by e-mail" error={error?.message} className="hl-add-people-address">
        {(control) => (
          <input
            {...control}
            type="email"
            required
            value={email}
            maxLength={254}
            autoComplete="off"
            placeholder="name@example.com"
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field label="Role">
        {(control) => (
          <select {...control} value={role} onChange={(event) => setRole(event.target.value as InvitedRole)}>
            {INVITED_ROLES.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      <button type="submit" className="hl-button hl-button-primary" disabled={busy || email.trim() === ""}>
        Add
      </button>
      <div role="status" className="hl-add-people-outcome">
        {outcome?.kind === "added" && (
          <p className="hl-muted">
            <bdi>{outcome.user.name}</bdi> was added.
          </p>
        )}
        {outcome?.kind === "invited" && (
          <>
            <p className="hl-muted">
              <bdi>{outcome.invitation.email}</bdi> has no account here yet and is invited by mail. You can
              also send the link yourself.
            </p>
            <ShownOnce url={outcome.invitation.url} />
          </>
        )}
      </div>
    </form>
  );
}
