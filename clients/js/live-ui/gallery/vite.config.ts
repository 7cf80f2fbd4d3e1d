import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The gallery reads the packages' sources: what is changed there shows at once. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [react()],
  resolve: { conditions: ["hanzo-source", "module", "browser", "import", "default"] },
  build: { outDir: "../dist-gallery", emptyOutDir: true, target: "es2022" },
});
