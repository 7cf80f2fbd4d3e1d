import { defineConfig, type Options } from "tsup";

const shared: Options = { dts: true, sourcemap: true, minify: true, treeshake: true, target: "es2022" };
const index = "src/index.ts";
const tabs = { shared: "src/shared/index.ts" };

/** What it costs a page is held to a budget by `scripts/check-packages.js`. */
export default defineConfig([
  // In files of its own, what is not imported stays out of a page also where classes extend the platform's.
  { ...shared, entry: { index, sse: "src/sse.ts", ...tabs }, format: "esm", splitting: true },
  { ...shared, entry: { index, ...tabs }, format: "cjs" },
]);
