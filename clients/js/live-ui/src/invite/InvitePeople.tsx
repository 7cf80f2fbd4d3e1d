/** The ways to bring people into a session, and who was invited and has not come yet. */

import type { Invitations } from "@hanzo/live";
import type { ReactElement } from "react";
import { AddPeople } from "./AddPeople";
import { InviteLink } from "./InviteLink";
import { OpenInvitations } from "./OpenInvitations";

export interface InvitePeopleProps {
  /** `useInvitations({ sessionId })`; only owners of a session have them. */
  invitations: Invitations;
  /** Nobody joins an archived session. */
  isArchived?: boolean;
}

export function InvitePeople({ invitations, isArchived = false }: InvitePeopleProps): ReactElement {
  const { add, makeLink, ...open } = invitations;
  return (
    <div className="hl-invite">
      {isArchived ? (
        <p className="hl-muted">
          Nobody joins an archived session. Open it again in its menu, then invite people.
        </p>
      ) : (
        <>
          <AddPeople add={add} />
          <InviteLink makeLink={makeLink} />
        </>
      )}
      <OpenInvitations {...open} />
    </div>
  );
}
