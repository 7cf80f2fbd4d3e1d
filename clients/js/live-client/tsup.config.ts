import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig } from "tsup";

/** What the whole client may cost a page, in bytes on the wire. */
const BUDGET = 15_000;

export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  dts: true,
  sourcemap: true,
  minify: true,
  clean: true,
  treeshake: true,
  target: "es2022",
  onSuccess() {
    const size = gzipSync(readFileSync("dist/index.js")).length;
    if (size > BUDGET) throw new Error(`dist/index.js is ${size} bytes gzipped; the budget is ${BUDGET}.`);
    return Promise.resolve();
  },
});
