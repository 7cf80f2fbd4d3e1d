/** Tools that a page brings along: the model may call them, and what has `execute` runs here. */

/** JSON Schema, or the short form `{name: type}`. */
export type ToolParameters = Record<string, unknown>;

export interface ToolRun {
  /** Id of the call. */
  call: string;
  /** Aborted when the answer is stopped, or nobody looks any more. */
  signal: AbortSignal;
}

export interface ClientTool {
  name: string;
  /** What it is for; the model reads it. */
  description?: string;
  parameters?: ToolParameters;
  /** Gives any JSON. What it throws is told to the model. Without it, a tool of this name runs on the server. */
  execute?: (args: Record<string, unknown>, run: ToolRun) => unknown;
}

/** The tool as the wire has it. */
export function wireTool({ name, description, parameters = {} }: ClientTool): Record<string, unknown> {
  return { name, description, parameters: jsonSchema(parameters) };
}

/** `{query: "string"}` as JSON Schema; what is JSON Schema stays as it is. */
export function jsonSchema(parameters: ToolParameters): Record<string, unknown> {
  if (parameters["type"] === "object") return parameters;
  const properties = Object.fromEntries(
    Object.entries(parameters).map(([name, kind]) => [name, typeof kind === "string" ? { type: kind } : kind]),
  );
  return { type: "object", properties, required: Object.keys(properties) };
}
