/** Gives a session another title. */

import { LiveError } from "@hanzo/live-client";
import { Dialog, Field, FIRST } from "@hanzo/live-ui";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { changeSession } from "../api/resources";

interface RenameSessionProps {
  session: { id: string; title: string };
  onDone: () => void;
  onClose: () => void;
}

export function RenameSession({ session, onDone, onClose }: RenameSessionProps): ReactElement {
  const [title, setTitle] = useState(session.title);
  const [error, setError] = useState<LiveError | null>(null);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    changeSession(session.id, { title: title.trim() }).then(onDone, (reason: unknown) =>
      setError(LiveError.from(reason)),
    );
  };
  return (
    <Dialog title="Rename" onClose={onClose}>
      <form className="session-form" onSubmit={submit}>
        <Field label="Title" error={error?.message}>
          {(control) => (
            <input
              {...control}
              {...FIRST}
              value={title}
              maxLength={200}
              autoComplete="off"
              onFocus={(event) => event.target.select()}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <div className="form-actions">
          <button type="button" className="hl-button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="hl-button hl-button-primary" disabled={title.trim() === ""}>
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  );
}
