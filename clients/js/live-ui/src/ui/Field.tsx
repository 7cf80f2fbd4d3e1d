/** A control with its name, what it is for, and what is wrong with what is in it. */

import { useId, type ReactElement, type ReactNode } from "react";

interface ControlProps {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | null | undefined;
  className?: string;
  /** Draws the control with these properties. */
  children: (control: ControlProps) => ReactElement;
}

export function Field({ label, help, error, className = "", children }: FieldProps): ReactElement {
  const id = useId();
  const said = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={`hl-field ${error ? "hl-field-invalid" : ""} ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": said || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {help && (
        <p id={`${id}-help`} className="hl-field-help">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="hl-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
