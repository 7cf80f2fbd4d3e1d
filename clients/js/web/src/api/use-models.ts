/** The models that the server offers, and their names for people. */

import { useEffect, useState } from "react";
import { listModels, type ModelInfo } from "./resources";

/** Who the scripted node says its models belong to. */
const SCRIPTED = "hanzo-live-script";

/** Empty while they are being fetched, and where they cannot be had: ids are then shown as they are. */
export function useModels(): ModelInfo[] {
  const [models, setModels] = useState<ModelInfo[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    listModels(abort.signal).then(setModels, (error: unknown) => {
      if (!abort.signal.aborted)
        console.warn("The list of models cannot be had; ids are shown instead.", error);
    });
    return () => abort.abort();
  }, []);
  return models;
}

/** What a session asks where it names no model: the server's default, as far as it is known. */
export function defaultModel(models: readonly ModelInfo[], configured: string | null): string | null {
  return configured ?? (models.length === 1 ? (models[0]?.id ?? null) : null);
}

/** What to call a model: the server's name for it, else its id. What follows an `@` only says how it is to answer. */
export function modelName(models: readonly ModelInfo[], id: string): string {
  const named = (wanted: string | undefined) => models.find((each) => each.id === wanted);
  const model = named(id) ?? named(id.split("@")[0]);
  return model ? labelOf(model) : id;
}

/** A model's name for people. What only plays a script is named as that: nobody shall take it for a model. */
export function labelOf({ id, name, owned_by: owner }: ModelInfo): string {
  const shown = name ?? id;
  return owner === SCRIPTED ? `${shown} (scripted, no model)` : shown;
}
