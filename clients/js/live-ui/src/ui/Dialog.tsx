/** A modal dialog: the browser's own, which keeps the focus inside and gives it back. Escape closes it. */

import { useId, useLayoutEffect, useRef, type MouseEvent, type ReactElement, type ReactNode } from "react";
import { Close } from "./icons";

/** The first control of a dialog, where the focus shall begin, has this property. */
export const FIRST = { "data-first": true };

interface DialogProps {
  title: string;
  /** `alertdialog` asks something that must be answered. */
  role?: "dialog" | "alertdialog";
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, role = "dialog", onClose, children }: DialogProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Layout: closed while it is still in the page, for only then does the browser give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>("[data-first]")?.focus();
    }
    return () => element?.close();
  }, []);
  const onClick = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };
  return (
    // The click is a shortcut for the pointer; the keyboard has Escape and the button.
    <dialog
      ref={dialog}
      className="hl-dialog"
      role={role}
      aria-labelledby={heading}
      onCancel={(event) => {
        // React lets it rise to a dialog around this one.
        event.stopPropagation();
        onClose();
      }}
      onClick={onClick}
    >
      <div className="hl-dialog-body">
        <header className="hl-dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="hl-button-icon" aria-label="Close" onClick={onClose}>
            <Close />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
