/**
 * What one may do with a session as a whole: the commands of its menu, and the dialogs that they open. The same in the
 * list and on the session's page.
 */

import { LiveError, type Role } from "@hanzo/live-client";
import { copyText } from "@hanzo/live-ui";
import { useState, type ReactElement } from "react";
import { changeSession, deleteSession, duplicateSession, removeMember } from "../api/resources";
import { sessionPath } from "../routes";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import type { MenuItem } from "../ui/Menu";
import { RenameSession } from "./RenameSession";

export interface CommandedSession {
  id: string;
  slug: string | null;
  title: string;
  archived: boolean;
  role: Role;
}

export type SessionChange = "renamed" | "archived" | "opened" | "deleted" | "left";

interface Commands {
  items: MenuItem[];
  /** The dialog that is open now. */
  dialog: ReactElement | null;
}

export function useSessionCommands(
  session: CommandedSession,
  me: string,
  /** After something was done. */
  onDone: (change: SessionChange) => void,
  onError: (error: LiveError) => void,
): Commands {
  const [asking, setAsking] = useState<"rename" | "delete" | "leave" | null>(null);
  const { id, title, archived, role } = session;
  const close = () => setAsking(null);
  const done = (change: SessionChange) => {
    close();
    onDone(change);
  };
  const fail = (reason: unknown) => onError(LiveError.from(reason));

  const archive = () => {
    changeSession(id, { archived: !archived }).then(() => done(archived ? "opened" : "archived"), fail);
  };
  const duplicate = () => {
    duplicateSession(id).then((copy) => location.assign(sessionPath(copy)), fail);
  };
  const copyLink = () => {
    copyText(location.origin + sessionPath(session)).catch(fail);
  };

  const items: MenuItem[] = [
    { kind: "action", label: "Copy link", onSelect: copyLink },
    { kind: "action", label: "Duplicate", onSelect: duplicate },
  ];
  if (role === "owner") {
    items.unshift({ kind: "action", label: "Rename", onSelect: () => setAsking("rename") });
    items.push(
      { kind: "action", label: archived ? "Open again" : "Archive", onSelect: archive },
      { kind: "line" },
      { kind: "action", label: "Delete", onSelect: () => setAsking("delete"), danger: true },
    );
  } else {
    items.push(
      { kind: "line" },
      { kind: "action", label: "Leave", onSelect: () => setAsking("leave"), danger: true },
    );
  }

  const dialog =
    asking === "rename" ? (
      <RenameSession session={session} onDone={() => done("renamed")} onClose={close} />
    ) : asking === "delete" ? (
      <ConfirmDialog
        title="Delete this session?"
        confirm="Delete"
        onConfirm={() => deleteSession(id, title)}
        onDone={() => done("deleted")}
        onClose={close}
      >
        <p>
          “<bdi>{title}</bdi>” and everything said in it will be gone, for all its members. There is no way
          back.
        </p>
        {!archived && <p className="hl-muted">To keep it out of the way but readable, archive it instead.</p>}
      </ConfirmDialog>
    ) : asking === "leave" ? (
      <ConfirmDialog
        title="Leave this session?"
        confirm="Leave"
        onConfirm={() => removeMember(id, me)}
        onDone={() => done("left")}
        onClose={close}
      >
        <p>
          You will not see “<bdi>{title}</bdi>” any more, unless one of its owners adds you again. What you
          said stays.
        </p>
      </ConfirmDialog>
    ) : null;
  return { items, dialog };
}
