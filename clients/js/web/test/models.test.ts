import { expect, it } from "vitest";
import { modelName } from "../src/api/use-models";
import type { ModelInfo } from "../src/api/resources";

const models = [
  { id: "script-slow", name: null, owned_by: "hanzo-live-script" },
  { id: "llama@q4", name: "Llama, small" },
] as ModelInfo[];

it.each([
  ["script-slow", "script-slow (scripted, no model)"],
  ["script-slow@rate=20,tokens=240", "script-slow (scripted, no model)"],
  ["llama@q4", "Llama, small"],
  ["unknown@x", "unknown@x"],
])("calls %s %s", (id, name) => {
  expect(modelName(models, id)).toBe(name);
});
