/** Who is in the session, and who is invited. Owners bring people in, change what they may do, and remove them. */

import { LiveError, type MemberInfo, type SessionState } from "@hanzo/live-client";
import { useState, type ReactElement } from "react";
import { changeRole, removeMember } from "../api/resources";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Dialog } from "../ui/Dialog";
import { AddPeople } from "./people/AddPeople";
import { InviteLink } from "./people/InviteLink";
import { MemberRow } from "./people/MemberRow";
import { OpenInvitations } from "./people/OpenInvitations";
import { useInvitations } from "./people/use-invitations";

interface PeopleDialogProps {
  session: string;
  state: Pick<SessionState, "members" | "present" | "session">;
  me: string;
  canManage: boolean;
  onClose: () => void;
}

export function PeopleDialog({ session, state, me, canManage, onClose }: PeopleDialogProps): ReactElement {
  const [error, setError] = useState<LiveError | null>(null);
  const [asking, setAsking] = useState<MemberInfo | null>(null);
  const { members, present } = state;
  return (
    <Dialog title="People" onClose={onClose}>
      <ul className="people" aria-label="Members">
        {members.map((member) => (
          <MemberRow
            key={member.user.id}
            member={member}
            isMe={member.user.id === me}
            isHere={member.user.id in present}
            canManage={canManage}
            onRole={(role) => {
              setError(null);
              changeRole(session, member.user.id, role).catch((reason: unknown) =>
                setError(LiveError.from(reason)),
              );
            }}
            onRemove={() => setAsking(member)}
          />
        ))}
      </ul>
      {error && (
        <p className="error" role="alert">
          {error.message}
        </p>
      )}
      {canManage ? (
        <Inviting session={session} archived={state.session?.archived ?? false} />
      ) : (
        <p className="muted">Owners of this session can add people.</p>
      )}
      {asking && (
        <ConfirmDialog
          title={asking.user.id === me ? "Leave this session?" : "Remove from this session?"}
          confirm={asking.user.id === me ? "Leave" : "Remove"}
          onConfirm={() => removeMember(session, asking.user.id)}
          onDone={() => setAsking(null)}
          onClose={() => setAsking(null)}
        >
          <p>
            {asking.user.id === me ? (
              "You will not see it any more, unless one of its owners adds you again. What you said stays."
            ) : (
              <>
                <bdi>{asking.user.name}</bdi> will see nothing of it any more, at once. What they said stays.
              </>
            )}
          </p>
        </ConfirmDialog>
      )}
    </Dialog>
  );
}

function Inviting({ session, archived }: { session: string; archived: boolean }): ReactElement {
  const list = useInvitations(session);
  return (
    <>
      {archived ? (
        <p className="muted">
          Nobody joins an archived session. Open it again in its menu, then invite people.
        </p>
      ) : (
        <>
          <AddPeople session={session} onInvited={list.refresh} />
          <InviteLink session={session} onInvited={list.refresh} />
        </>
      )}
      <OpenInvitations session={session} list={list} />
    </>
  );
}
