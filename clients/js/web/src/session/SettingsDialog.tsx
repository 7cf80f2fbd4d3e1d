/** What is set for a session: owners change it, all others may look. */

import { LiveError, type SessionInfo } from "@hanzo/live-client";
import { Dialog } from "@hanzo/live-ui";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { changeSession, type ModelInfo, type SessionFields } from "../api/resources";
import { modelName } from "../api/use-models";
import { OVERLAPS } from "../dialogs/overlap";
import { isAtField, SessionFieldset } from "../dialogs/SessionFieldset";
import { sessionPath } from "../routes";

interface SettingsDialogProps {
  session: SessionInfo;
  models: readonly ModelInfo[];
  canManage: boolean;
  onClose: () => void;
}

export function SettingsDialog({ session, models, canManage, onClose }: SettingsDialogProps): ReactElement {
  return (
    <Dialog title={canManage ? "Settings" : "About this session"} onClose={onClose}>
      {canManage ? (
        <SettingsForm session={session} models={models} onClose={onClose} />
      ) : (
        <SettingsList session={session} models={models} />
      )}
    </Dialog>
  );
}

function SettingsForm({ session, models, onClose }: Omit<SettingsDialogProps, "canManage">): ReactElement {
  // As it was when the form was opened: what others change meanwhile is theirs, and is not sent back.
  const [before] = useState(() => fieldsOf(session));
  const [fields, setFields] = useState(before);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<LiveError | null>(null);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const changed = changes(before, fields);
    if (Object.keys(changed).length === 0) {
      onClose();
      return;
    }
    setBusy(true);
    setError(null);
    changeSession(session.id, changed).then(onClose, (reason: unknown) => {
      setError(LiveError.from(reason));
      setBusy(false);
    });
  };

  return (
    <form className="session-form" onSubmit={submit}>
      <SessionFieldset
        fields={fields}
        onChange={(next) => setFields((had) => ({ ...had, ...next }))}
        models={models}
        error={error}
        isOpen
      />
      {error && !isAtField(error) && (
        <p className="hl-error" role="alert">
          {error.message}
        </p>
      )}
      <div className="form-actions">
        <button type="button" className="hl-button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="hl-button hl-button-primary" disabled={busy}>
          Save
        </button>
      </div>
    </form>
  );
}

function SettingsList({ session, models }: Omit<SettingsDialogProps, "canManage" | "onClose">): ReactElement {
  const fields = fieldsOf(session);
  const overlap = OVERLAPS.find(([value]) => value === fields.overlap)?.[1];
  return (
    <>
      <dl className="settings-list">
        <dt>Title</dt>
        <dd dir="auto">{fields.title}</dd>
        <dt>Model</dt>
        <dd>{fields.model === "" ? "The server's default" : modelName(models, fields.model)}</dd>
        <dt>Address</dt>
        <dd>{sessionPath(session)}</dd>
        <dt>System prompt</dt>
        <dd className="settings-text" dir="auto">
          {fields.system_prompt === "" ? "None" : fields.system_prompt}
        </dd>
        <dt>A prompt that comes while an answer is written</dt>
        <dd>{overlap}</dd>
      </dl>
      <p className="hl-muted">Owners of this session can change this.</p>
    </>
  );
}

function fieldsOf({ title, model, slug, settings }: SessionInfo): SessionFields {
  return {
    title,
    model: model ?? "",
    slug: slug ?? "",
    system_prompt: settings.system_prompt ?? "",
    overlap: settings.overlap ?? "queue",
  };
}

function changes(before: SessionFields, after: SessionFields): Partial<SessionFields> {
  const names = Object.keys(after) as (keyof SessionFields)[];
  return Object.fromEntries(
    names.filter((name) => after[name].trim() !== before[name].trim()).map((name) => [name, after[name].trim()]),
  );
}
