import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", styles: "styles/styles.css" },
  format: ["esm", "cjs"],
  dts: { entry: { index: "src/index.ts" } },
  sourcemap: true,
  clean: true,
  target: "es2022",
  loader: { ".svg": "copy" },
  external: ["react", "@hanzo/live", "@hanzo/live-client"],
});
