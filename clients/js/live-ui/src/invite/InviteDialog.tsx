/** Brings people into a session: by their address or by a link. For its owners; the server refuses others, in words. */

import type { ReactElement } from "react";
import { Dialog } from "../ui/Dialog";
import { InvitePeople, type InvitePeopleProps } from "./InvitePeople";

export interface InviteDialogProps extends InvitePeopleProps {
  title?: string;
  /** Asked for by Escape, by the button and by a click beside it: the page then draws it no more. */
  onClose: () => void;
}

export function InviteDialog({ title = "Invite people", onClose, ...people }: InviteDialogProps): ReactElement {
  return (
    <Dialog title={title} onClose={onClose}>
      <InvitePeople {...people} />
    </Dialog>
  );
}
