import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** One project a package. Workspace packages are tested from their sources, not from a build. */
const resolve = { conditions: ["hanzo-source", "module", "import", "default"] };
/** Only what never comes takes so long, on a busy machine too. */
const testTimeout = 30_000;
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
/** The same hooks on the oldest React that they are for. Only what vite resolves gets it: what renders goes through it. */
const react18 = {
  ...resolve,
  alias: [
    { find: /^react(?=\/|$)/, replacement: path("react-18/node_modules/react") },
    { find: /^react-dom(?=\/|$)/, replacement: path("react-18/node_modules/react-dom") },
    {
      find: "@testing-library/react",
      replacement: path("node_modules/@testing-library/react/dist/@testing-library/react.esm.js"),
    },
  ],
};
const ssr = { resolve: { conditions: resolve.conditions, externalConditions: ["hanzo-source"] } };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        root: "live-client",
        resolve,
        ssr,
        test: { name: "live-client", testTimeout, environment: "node", include: ["test/**/*.test.ts"] },
      },
      {
        root: "live",
        resolve,
        ssr,
        test: { name: "live", testTimeout, environment: "jsdom", include: ["test/**/*.test.{ts,tsx}"] },
      },
      {
        root: "live",
        resolve: react18,
        ssr,
        test: {
          name: "live on React 18",
          testTimeout,
          environment: "jsdom",
          include: ["test/**/*.test.tsx"],
          env: { REACT: "18" },
          server: { deps: { inline: [/@testing-library\/react/] } },
        },
      },
      {
        root: "live-ui",
        resolve,
        ssr,
        test: {
          name: "live-ui",
          testTimeout,
          environment: "jsdom",
          include: ["test/**/*.test.tsx"],
          setupFiles: ["test/setup.ts"],
        },
      },
      {
        root: "live-edge",
        resolve,
        ssr,
        test: { name: "live-edge", testTimeout, environment: "node", include: ["test/**/*.test.ts"] },
      },
      {
        root: "web",
        resolve,
        ssr,
        test: {
          name: "web",
          testTimeout,
          environment: "jsdom",
          include: ["test/**/*.test.{ts,tsx}"],
          setupFiles: ["test/setup.ts"],
        },
      },
    ],
  },
});
