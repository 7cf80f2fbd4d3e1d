/**
 * A Worker in the real runtime, until its standard input ends. Arguments: the Worker's module, the configuration of
 * wrangler (as JSON), and the origin of the server behind it. Says its address in one line.
 */

import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(process.env.PACKAGES);
const { build } = require("esbuild");
const { Miniflare } = require("miniflare");

const [, , entry, configuration, nodeUrl] = process.argv;
const { compatibility_date, vars, kv_namespaces, durable_objects, migrations } = JSON.parse(configuration);
const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", target: "es2022", write: false });
const edge = new Miniflare({
  modules: true,
  script: outputFiles[0].text,
  host: "127.0.0.1",
  port: 0,
  compatibilityDate: compatibility_date,
  bindings: { ...vars, HANZO_NODE_URL: nodeUrl },
  kvNamespaces: kv_namespaces.map(({ binding }) => binding),
  durableObjects: Object.fromEntries(
    durable_objects.bindings.map(({ name, class_name: className }) => [
      name,
      { className, useSQLite: migrations.some(({ new_sqlite_classes: classes }) => classes.includes(className)) },
    ]),
  ),
});
process.stdout.write(`${(await edge.ready).origin}\n`);
process.stdin.resume();
await new Promise((ended) => process.stdin.on("end", ended));
await edge.dispose();
