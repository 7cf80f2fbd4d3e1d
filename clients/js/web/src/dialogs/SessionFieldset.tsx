/** The fields of a session, for making one and for changing one. What is wrong stands at the field that it is about. */

import type { LiveError } from "@hanzo/live-client";
import { Field, FIRST } from "@hanzo/live-ui";
import type { ReactElement } from "react";
import type { ModelInfo, SessionFields } from "../api/resources";
import { labelOf } from "../api/use-models";
import { OVERLAPS } from "./overlap";

export const NO_FIELDS: SessionFields = { title: "", model: "", slug: "", system_prompt: "", overlap: "queue" };

interface SessionFieldsetProps {
  fields: SessionFields;
  onChange: (changes: Partial<SessionFields>) => void;
  models: readonly ModelInfo[];
  error: LiveError | null;
  titleHelp?: string;
  /** Shows all of them at once. */
  isOpen?: boolean;
}

export function SessionFieldset(props: SessionFieldsetProps): ReactElement {
  const { fields, onChange, models, error, titleHelp, isOpen = false } = props;
  const wrong = (field: keyof SessionFields) => (error?.field === field ? error.message : null);
  return (
    <>
      <Field label="Title" help={titleHelp} error={wrong("title")}>
        {(control) => (
          <input
            {...control}
            {...FIRST}
            value={fields.title}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => onChange({ title: event.target.value })}
          />
        )}
      </Field>
      <Field label="Model" error={wrong("model")}>
        {(control) => (
          <select
            {...control}
            value={fields.model}
            onChange={(event) => onChange({ model: event.target.value })}
          >
            <option value="">The server's default</option>
            {choicesOf(models, fields.model).map((each) => (
              <option key={each.id} value={each.id}>
                {each.name && each.name !== each.id ? `${labelOf(each)} · ${each.id}` : labelOf(each)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <details className="more-fields" open={isOpen || isAmongMore(error) || undefined}>
        <summary>More settings</summary>
        <Field
          label="Address"
          help="Small letters, digits, - and _. Without one the address is an id."
          error={wrong("slug")}
        >
          {(control) => (
            <span className="prefixed">
              <span aria-hidden="true">/s/</span>
              <input
                {...control}
                value={fields.slug}
                maxLength={80}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                onChange={(event) => onChange({ slug: event.target.value })}
              />
            </span>
          )}
        </Field>
        <Field label="System prompt" help="What the model is told first." error={wrong("system_prompt")}>
          {(control) => (
            <textarea
              {...control}
              rows={4}
              maxLength={50_000}
              value={fields.system_prompt}
              onChange={(event) => onChange({ system_prompt: event.target.value })}
            />
          )}
        </Field>
        <Field label="A prompt that comes while an answer is written" error={wrong("overlap")}>
          {(control) => (
            <select
              {...control}
              value={fields.overlap}
              onChange={(event) => onChange({ overlap: event.target.value as SessionFields["overlap"] })}
            >
              {OVERLAPS.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
      </details>
    </>
  );
}

/** The models to choose from, and the one that is set, which the node may not have any more. */
function choicesOf(models: readonly ModelInfo[], set: string): readonly ModelInfo[] {
  return set === "" || models.some(({ id }) => id === set) ? models : [{ id: set }, ...models];
}

function isAmongMore(error: LiveError | null): boolean {
  return ["slug", "system_prompt", "overlap"].includes(error?.field ?? "");
}

/** Whether what is wrong is said at one of the fields. */
export function isAtField(error: LiveError): boolean {
  return error.field !== null && error.field in NO_FIELDS;
}
