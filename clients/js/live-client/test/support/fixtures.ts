/** The contract's fixtures: one real example of each frame, shared with the server's tests. */

import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../../../../../contract/fixtures/", import.meta.url);

// The caller says what it is: the contract's own tests hold each fixture to its type.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function fixture<T = Record<string, unknown>>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as T;
}

export function fixtureNames(prefix: string): string[] {
  return readdirSync(fileURLToPath(folder))
    .filter((file) => file.startsWith(prefix) && file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length));
}
