/** Asks before something that cannot be undone, does it, and says why where it could not be done. */

import { LiveError } from "@hanzo/live-client";
import { Dialog, FIRST } from "@hanzo/live-ui";
import { useState, type ReactElement, type ReactNode } from "react";

interface ConfirmDialogProps {
  title: string;
  /** What the button that does it is called. */
  confirm: string;
  /** Does it; the dialog stays where it is rejected. */
  onConfirm: () => Promise<unknown>;
  /** Called after it was done. */
  onDone: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function ConfirmDialog(props: ConfirmDialogProps): ReactElement {
  const { title, confirm, onConfirm, onDone, onClose, children } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<LiveError | null>(null);
  const submit = () => {
    setBusy(true);
    setError(null);
    onConfirm().then(onDone, (reason: unknown) => {
      setError(LiveError.from(reason));
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} role="alertdialog" onClose={onClose}>
      <div className="dialog-text">{children}</div>
      {error && (
        <p className="hl-error" role="alert">
          {error.message}
        </p>
      )}
      <div className="form-actions">
        <button type="button" className="hl-button" onClick={onClose} {...FIRST}>
          Cancel
        </button>
        <button type="button" className="hl-button hl-button-danger" disabled={busy} onClick={submit}>
          {confirm}
        </button>
      </div>
    </Dialog>
  );
}
