/** The form that makes a session and goes there. */

import { LiveError } from "@hanzo/live-client";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { createSession, type ModelInfo, type SessionFields } from "../api/resources";
import { isAtField, NO_FIELDS, SessionFieldset } from "../dialogs/SessionFieldset";
import { sessionPath } from "../routes";

interface CreateSessionProps {
  models: readonly ModelInfo[];
  onCancel?: () => void;
}

export function CreateSession({ models, onCancel }: CreateSessionProps): ReactElement {
  const [fields, setFields] = useState(NO_FIELDS);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<LiveError | null>(null);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    createSession(filledIn(fields)).then(
      (session) => location.assign(sessionPath(session)),
      (reason: unknown) => {
        setError(LiveError.from(reason));
        setBusy(false);
      },
    );
  };

  return (
    <form className="session-form" onSubmit={submit}>
      <SessionFieldset
        fields={fields}
        onChange={(changes) => setFields((before) => ({ ...before, ...changes }))}
        models={models}
        error={error}
        titleHelp="Without one, the first prompt becomes the title."
      />
      {error && !isAtField(error) && (
        <p className="hl-error" role="alert">
          {error.message}
        </p>
      )}
      <div className="form-actions">
        {onCancel && (
          <button type="button" className="hl-button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="hl-button hl-button-primary" disabled={busy}>
          {busy ? "Creating" : "Create session"}
        </button>
      </div>
    </form>
  );
}

function filledIn(fields: SessionFields): Partial<SessionFields> {
  const trimmed = { ...fields, title: fields.title.trim(), slug: fields.slug.trim() };
  const names = Object.keys(NO_FIELDS) as (keyof SessionFields)[];
  return Object.fromEntries(
    names.filter((name) => trimmed[name] !== NO_FIELDS[name]).map((name) => [name, trimmed[name]]),
  );
}
