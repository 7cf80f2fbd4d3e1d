/** The contract's fixtures: one real example of each frame, shared with the server's tests. */

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../../../../contract/fixtures");

// The caller says what it is: the contract's own tests hold each fixture to its type.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function fixture<T = Record<string, unknown>>(name: string): T {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as T;
}

export function fixtureNames(prefix: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length));
}
