/** Who is invited and has not come yet: how their mail fares, how long it is good, and the way to take it back. */

import type { Invitation, Invitations } from "@hanzo/live";
import { LiveError } from "@hanzo/live-client";
import { useId, useState, type ReactElement } from "react";
import { relativeTime } from "../ui/relative-time";
import { useNow } from "../ui/use-now";
import { ROLES } from "./roles";

type OpenInvitationsProps = Pick<Invitations, "invitations" | "error" | "revoke">;

const MAIL: Record<NonNullable<Invitation["mail"]>, string> = {
  queued: "mail on its way",
  sent: "mail sent",
  failed: "the mail could not be sent",
};

export function OpenInvitations({ invitations, error, revoke }: OpenInvitationsProps): ReactElement | null {
  const heading = useId();
  const now = useNow();
  const [failure, setFailure] = useState<LiveError | null>(null);
  const take = (id: string) => {
    setFailure(null);
    revoke(id).catch((reason: unknown) => setFailure(LiveError.from(reason)));
  };
  const wrong = failure ?? error;
  if (invitations.length === 0 && !wrong) return null;
  return (
    <section className="hl-people-section" aria-labelledby={heading}>
      <h3 id={heading}>Invited</h3>
      <ul className="hl-people">
        {invitations.map((invitation) => (
          <li key={invitation.id} className="hl-person">
            <span className="hl-person-name">
              {invitation.email === null ? "By a link" : <bdi>{invitation.email}</bdi>}
              <span className={invitation.mail === "failed" ? "hl-person-facts hl-error" : "hl-person-facts"}>
                {factsOf(invitation, now)}
              </span>
            </span>
            <button
              type="button"
              className="hl-button-quiet"
              aria-label={`Revoke the invitation ${invitation.email === null ? "by a link" : `of ${invitation.email}`}`}
              onClick={() => take(invitation.id)}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      {wrong && (
        <p className="hl-error" role="alert">
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
