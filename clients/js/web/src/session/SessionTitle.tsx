/** The session's title. Owners click it to change it: Enter keeps the change, Escape does not. */

import { LiveError } from "@hanzo/live-client";
import { useRef, useState, type ReactElement, type SyntheticEvent } from "react";
import { changeSession } from "../api/resources";

interface SessionTitleProps {
  session: string;
  /** Null while it is not known. */
  title: string | null;
  canRename: boolean;
}

export function SessionTitle({ session, title, canRename }: SessionTitleProps): ReactElement {
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const shown = title === null ? "" : title || "Untitled session";

  const close = () => {
    setDraft(null);
    setError(null);
    // The button is back after the next paint.
    requestAnimationFrame(() => button.current?.focus());
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const wanted = draft?.trim() ?? "";
    if (wanted === "" || wanted === title) {
      close();
      return;
    }
    changeSession(session, { title: wanted }).then(close, (reason: unknown) => setError(LiveError.from(reason).message));
  };

  if (draft !== null) {
    return (
      <form className="title-form" onSubmit={submit}>
        <input
          aria-label="Title of the session"
          aria-invalid={error !== null}
          value={draft}
          maxLength={200}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && close()}
          onBlur={submit}
          // Somebody asked to change it.
          autoFocus
        />
        {error && (
          <p className="title-error" role="alert">
            {error}
          </p>
        )}
      </form>
    );
  }
  return (
    <h1 className="session-title">
      {canRename ? (
        <button ref={button} type="button" title="Rename" onClick={() => setDraft(title ?? "")}>
          {shown}
          <span className="hl-visually-hidden">, rename</span>
        </button>
      ) : (
        <span>{shown}</span>
      )}
    </h1>
  );
}
