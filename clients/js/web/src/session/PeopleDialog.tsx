/** Who is in the session. Owners add people, change what they may do, and remove them. */

import { LiveError, type MemberInfo, type Role, type SessionState } from "@hanzo/live-client";
import { useId, useState, type ReactElement, type SyntheticEvent } from "react";
import { addMember, changeRole, removeMember } from "../api/resources";
import { Avatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";

const ROLES: Record<Role, string> = { owner: "Owner", editor: "Editor", viewer: "Viewer" };

interface PeopleDialogProps {
  session: string;
  state: Pick<SessionState, "members" | "present">;
  me: string;
  canManage: boolean;
  onClose: () => void;
}

export function PeopleDialog({ session, state, me, canManage, onClose }: PeopleDialogProps): ReactElement {
  const [error, setError] = useState<string | null>(null);
  const attempt = (action: Promise<unknown>) => {
    setError(null);
    action.catch((reason: unknown) => setError(LiveError.from(reason).message));
  };
  return (
    <Dialog title="People" onClose={onClose}>
      <ul className="people">
        {state.members.map((member) => (
          <Person
            key={member.user.id}
            member={member}
            isMe={member.user.id === me}
            isHere={member.user.id in state.present}
            canManage={canManage}
            onRole={(role) => attempt(changeRole(session, member.user.id, role))}
            onRemove={() => attempt(removeMember(session, member.user.id))}
          />
        ))}
      </ul>
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      {canManage ? (
        <AddMember session={session} />
      ) : (
        <p className="muted">Owners of this session can add people.</p>
      )}
    </Dialog>
  );
}

interface PersonProps {
  member: MemberInfo;
  isMe: boolean;
  isHere: boolean;
  canManage: boolean;
  onRole: (role: Role) => void;
  onRemove: () => void;
}

function Person({ member, isMe, isHere, canManage, onRole, onRemove }: PersonProps): ReactElement {
  const { user, role } = member;
  return (
    <li className="person">
      <Avatar user={user} online={isHere} />
      <span className="person-name">
        {user.name}
        {isMe && <span className="muted"> (you)</span>}
        {isHere && <span className="visually-hidden"> is here</span>}
      </span>
      {canManage && !isMe ? (
        <>
          <select
            value={role}
            aria-label={`Role of ${user.name}`}
            onChange={(event) => onRole(event.target.value as Role)}
          >
            {Object.entries(ROLES).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
          <button
            type="button"
            className="button-quiet"
            aria-label={`Remove ${user.name}`}
            onClick={onRemove}
          >
            Remove
          </button>
        </>
      ) : (
        <span className="muted">{ROLES[role]}</span>
      )}
    </li>
  );
}

function AddMember({ session }: { session: string }): ReactElement {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ error: boolean; text: string } | null>(null);
  const id = useId();

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setOutcome(null);
    addMember(session, email.trim(), role)
      .then(
        ({ user }) => {
          setEmail("");
          setOutcome({ error: false, text: `${user.name} was added.` });
        },
        (reason: unknown) => setOutcome({ error: true, text: LiveError.from(reason).message }),
      )
      .finally(() => setBusy(false));
  };

  return (
    <form className="add-member" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-email`}>Add by e-mail</label>
        <input
          id={`${id}-email`}
          type="email"
          required
          value={email}
          autoComplete="off"
          placeholder="name@example.com"
          onChange={(event) => setEmail(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-role`}>Role</label>
        <select id={`${id}-role`} value={role} onChange={(event) => setRole(event.target.value as Role)}>
          <option value="editor">Editor: asks and stops</option>
          <option value="viewer">Viewer: watches</option>
          <option value="owner">Owner: manages</option>
        </select>
      </div>
      <button type="submit" className="button button-primary" disabled={busy || email.trim() === ""}>
        Add
      </button>
      <p role="status" className={outcome?.error ? "error" : "muted"}>
        {outcome?.text}
      </p>
    </form>
  );
}
