import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Builds into the server's static files; Django finds the hashed names in `manifest.json`. */
export default defineConfig({
  base: "/static/app/",
  plugins: [react()],
  resolve: { conditions: ["hanzo-source", "module", "browser", "import", "default"] },
  build: {
    outDir: fileURLToPath(new URL("../../../hanzolive/static/app", import.meta.url)),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // The pages' Content-Security-Policy allows no `data:` scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: ["src/app.tsx", "src/styles/site.css", "src/styles/fonts.css", "src/theme/theme.ts"],
    },
  },
});
