import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const server = process.env["HANZO_LIVE_URL"];

/** The examples name the server that their readers have; `HANZO_LIVE_URL` is another one. */
export default defineConfig({
  root: here,
  base: "./",
  plugins: [
    react(),
    {
      name: "another-server",
      transform: (code, id) =>
        server && id.startsWith(here) ? code.replaceAll("ws://localhost:3001", server) : null,
    },
  ],
  resolve: {
    conditions: ["hanzo-source", "module", "browser", "import", "default"],
    alias: { "@hanzo/ui": fileURLToPath(new URL("../src/index.ts", import.meta.url)) },
  },
  build: { target: "es2022" },
});
