import { defineConfig } from "vitest/config";

/** One project a package. Workspace packages are tested from their sources, not from a build. */
const resolve = { conditions: ["hanzo-source", "module", "import", "default"] };
/** Only what never comes takes so long, on a busy machine too. */
const testTimeout = 30_000;
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
