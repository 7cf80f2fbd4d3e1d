/** One member: who, whether they are here, what they may do. Owners change that; everybody may leave. */

import type { MemberInfo, Role } from "@hanzo/live-client";
import { Avatar, ROLES } from "@hanzo/live-ui";
import type { ReactElement } from "react";

interface MemberRowProps {
  member: MemberInfo;
  isMe: boolean;
  isHere: boolean;
  canManage: boolean;
  onRole: (role: Role) => void;
  /** Asks whether they shall be removed, or oneself leaves. */
  onRemove: () => void;
}

export function MemberRow(props: MemberRowProps): ReactElement {
  const { member, isMe, isHere, canManage, onRole, onRemove } = props;
  const { user, role } = member;
  return (
    <li className="hl-person">
      <Avatar src={user.avatar} name={user.name} online={isHere} />
      <span className="hl-person-name">
        <bdi>{user.name}</bdi>
        {isMe && <span className="hl-muted"> (you)</span>}
        {isHere && <span className="hl-visually-hidden"> is here</span>}
      </span>
      {canManage && !isMe ? (
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
      ) : (
        <span className="hl-muted">{ROLES[role]}</span>
      )}
      {isMe ? (
        <button type="button" className="hl-button-quiet" onClick={onRemove}>
          Leave
        </button>
      ) : (
        canManage && (
          <button
            type="button"
            className="hl-button-quiet"
            aria-label={`Remove ${user.name}`}
            onClick={onRemove}
          >
            Remove
          </button>
        )
      )}
    </li>
  );
}
