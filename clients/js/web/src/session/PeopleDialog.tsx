/** Who is in the session, and who is invited. Owners bring people in, change what they may do, and remove them. */

import { useInvitations } from "@hanzo/live";
import { LiveError, type MemberInfo, type SessionState } from "@hanzo/live-client";
import { Dialog, InvitePeople } from "@hanzo/live-ui";
import { useState, type ReactElement } from "react";
import { changeRole, removeMember } from "../api/resources";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { MemberRow } from "./MemberRow";

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
      <ul className="hl-people" aria-label="Members">
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
        <p className="hl-error" role="alert">
          {error.message}
        </p>
      )}
      {canManage ? (
        <Inviting session={session} isArchived={state.session?.archived ?? false} />
      ) : (
        <p className="hl-muted">Owners of this session can add people.</p>
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

/** Only owners ask for them. */
function Inviting({ session, isArchived }: { session: string; isArchived: boolean }): ReactElement {
  return <InvitePeople invitations={useInvitations({ sessionId: session })} isArchived={isArchived} />;
}
