/** The form that makes a session and goes there. */

import { LiveError } from "@hanzo/live-client";
import { useId, useState, type ReactElement, type SyntheticEvent } from "react";
import { createSession, type ModelInfo } from "../api/resources";
import { labelOf } from "../api/use-models";
import { sessionPath } from "../routes";

interface CreateSessionProps {
  models: readonly ModelInfo[];
  onCancel?: () => void;
}

export function CreateSession({ models, onCancel }: CreateSessionProps): ReactElement {
  const [title, setTitle] = useState("");
  const [model, setModel] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<LiveError | null>(null);
  const id = useId();

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    createSession({ title: title.trim(), ...(model ? { model } : {}) }).then(
      (session) => location.assign(sessionPath(session)),
      (reason: unknown) => {
        setError(LiveError.from(reason));
        setBusy(false);
      },
    );
  };

  return (
    <form
      className="card create-session"
      onSubmit={submit}
      onKeyDown={(event) => event.key === "Escape" && onCancel?.()}
    >
      <div className="field">
        <label htmlFor={`${id}-title`}>Title</label>
        <input
          id={`${id}-title`}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          placeholder="What is it about?"
          maxLength={200}
          required
          // The form appears because somebody asked for it.
          autoFocus
          autoComplete="off"
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-model`}>Model</label>
        <select id={`${id}-model`} value={model} onChange={(event) => setModel(event.target.value)}>
          <option value="">Default</option>
          {models.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name && each.name !== each.id ? `${labelOf(each)} · ${each.id}` : labelOf(each)}
            </option>
          ))}
        </select>
      </div>
      {error && (
        <p className="error" role="alert">
          {error.message}
        </p>
      )}
      <div className="form-actions">
        {onCancel && (
          <button type="button" className="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button button-primary" disabled={busy || title.trim() === ""}>
          {busy ? "Creating" : "Create session"}
        </button>
      </div>
    </form>
  );
}
