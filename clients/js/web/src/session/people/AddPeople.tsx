/**
 * Brings somebody in by their address: who has an account here is a member at once, others are mailed an invitation.
 * The server tells an owner which of the two it is, and nobody else.
 */

import { LiveError } from "@hanzo/live-client";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { addMember, invite, type NewInvitation } from "../../api/resources";
import { Field } from "../../ui/Field";
import { ShownOnce } from "./ShownOnce";
import { INVITED_ROLES, type InvitedRole } from "./roles";

type Outcome = { kind: "added"; name: string } | { kind: "invited"; invitation: NewInvitation };

interface AddPeopleProps {
  session: string;
  onInvited: () => void;
}

export function AddPeople({ session, onInvited }: AddPeopleProps): ReactElement {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<InvitedRole>("editor");
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [error, setError] = useState<LiveError | null>(null);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setOutcome(null);
    setError(null);
    bring(session, email.trim(), role)
      .then(
        (done) => {
          setEmail("");
          setOutcome(done);
          if (done.kind === "invited") onInvited();
        },
        (reason: unknown) => setError(LiveError.from(reason)),
      )
      .finally(() => setBusy(false));
  };

  return (
    <form className="add-people" onSubmit={submit}>
      <Field label="Add by e-mail" error={error?.message} className="add-people-address">
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
      <button type="submit" className="button button-primary" disabled={busy || email.trim() === ""}>
        Add
      </button>
      <div role="status" className="add-people-outcome">
        {outcome?.kind === "added" && (
          <p className="muted">
            <bdi>{outcome.name}</bdi> was added.
          </p>
        )}
        {outcome?.kind === "invited" && (
          <>
            <p className="muted">
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

async function bring(session: string, email: string, role: InvitedRole): Promise<Outcome> {
  try {
    const { user } = await addMember(session, email, role);
    return { kind: "added", name: user.name };
  } catch (reason) {
    const { code, field } = LiveError.from(reason);
    if (code !== "NOT_FOUND" || field !== "email") throw reason;
    return { kind: "invited", invitation: await invite(session, { email, role }) };
  }
}
