/**
 * A Worker in the real runtime, until its standard input ends. Arguments: the Worker's module, and the origin of the
 * server behind it. Says its address in one line.
 */

import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(process.env.PACKAGES);
const { build } = require("esbuild");
const { Miniflare } = require("miniflare");

const [, , entry, nodeUrl] = process.argv;
const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", target: "es2022", write: false });
const edge = new Miniflare({
  modules: true,
  script: outputFiles[0].text,
  host: "127.0.0.1",
  port: 0,
  compatibilityDate: "2026-04-01",
  bindings: { HANZO_NODE_URL: nodeUrl },
  kvNamespaces: ["CACHE_KV"],
  durableObjects: { SESSIONS_DO: { className: "HanzoLiveSession", useSQLite: true } },
});
process.stdout.write(`${(await edge.ready).origin}\n`);
process.stdin.resume();
await new Promise((ended) => process.stdin.on("end", ended));
await edge.dispose();
