/** Who is invited and has not come yet: how their mail fares, how long it is good, and the way to take it back. */

import { LiveError } from "@hanzo/live-client";
import { useState, type ReactElement } from "react";
import { revokeInvitation, type Invitation } from "../../api/resources";
import { relativeTime } from "../../ui/relative-time";
import { useNow } from "../../ui/use-now";
import { ROLES } from "./roles";
import type { Invitations } from "./use-invitations";

interface OpenInvitationsProps {
  session: string;
  list: Invitations;
}

const MAIL: Record<NonNullable<Invitation["mail"]>, string> = {
  queued: "mail on its way",
  sent: "mail sent",
  failed: "the mail could not be sent",
};

export function OpenInvitations({ session, list }: OpenInvitationsProps): ReactElement | null {
  const { invitations, error, refresh } = list;
  const now = useNow();
  const [failure, setFailure] = useState<LiveError | null>(null);
  const revoke = (id: string) => {
    setFailure(null);
    revokeInvitation(session, id).then(refresh, (reason: unknown) => setFailure(LiveError.from(reason)));
  };
  const wrong = failure ?? error;
  if (invitations.length === 0 && !wrong) return null;
  return (
    <section className="people-section" aria-labelledby="invited">
      <h3 id="invited">Invited</h3>
      <ul className="people">
        {invitations.map((invitation) => (
          <li key={invitation.id} className="person">
            <span className="person-name">
              {invitation.email === null ? "By a link" : <bdi>{invitation.email}</bdi>}
              <span className={invitation.mail === "failed" ? "person-facts error" : "person-facts"}>
                {factsOf(invitation, now)}
              </span>
            </span>
            <button
              type="button"
              className="button-quiet"
              aria-label={`Revoke the invitation ${invitation.email === null ? "by a link" : `of ${invitation.email}`}`}
              onClick={() => revoke(invitation.id)}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      {wrong && (
        <p className="error" role="alert">
          {wrong.message}
        </p>
      )}
    </section>
  );
}

function factsOf({ role, uses, max_uses: most, mail, expires_at: end }: Invitation, now: number): string {
  return [
    ROLES[role],
    mail && MAIL[mail],
    most > 1 && `used ${uses} of ${most} times`,
    `ends ${relativeTime(end, now)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
