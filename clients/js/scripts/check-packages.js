/**
 * Holds built packages, as npm would pack them, to what publint and are-the-types-wrong ask for; prints what
 * @hanzo/live-client costs a page, and holds that to its budget. Usage: node scripts/check-packages.js FOLDER…
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** What a page may pay, in bytes gzipped, for what it imports. */
const BUDGETS = [
  { imports: "*", of: "everything", most: 15_000 },
  { imports: "{ HanzoLiveClient }", of: "the client alone", most: 11_500 },
  { imports: "{ newKey }", of: "one small function", most: 300 },
  { imports: "{ SharedSocket }", of: "one socket for many tabs", most: 3_000, from: "shared" },
];

/** What is wrong with a package's manifest and types, one line each. @param {string} folder */
async function faults(folder) {
  /** @type {Record<string, unknown>} */
  // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- npm has read it before us
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { messages } = await publint({ pkgDir: folder, strict: true });
  const found = messages.map((message) => formatMessage(message, manifest) ?? message.code);
  const place = mkdtempSync(join(tmpdir(), "pack-"));
  try {
    const pack = ["pack", "--silent", "--pack-destination", place];
    const name = execFileSync("npm", pack, { cwd: folder, encoding: "utf8" }).trim();
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(join(place, name))));
    if (!analysis.types) return [...found, "there are no types"];
    // TypeScript's oldest way to resolve knows no subpaths, in any package.
    const problems = analysis.problems.filter((each) => !("resolutionKind" in each && each.resolutionKind === "node10"));
    return [...found, ...problems.map((problem) => `types: ${JSON.stringify(problem)}`)];
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** The gzipped bytes of a page that imports this. @param {string} imports @param {string} from */
async function size(imports, from) {
  const { outputFiles } = await build({
    stdin: { contents: `export ${imports} from "./dist/${from}.js";`, resolveDir: "live-client" },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

const wrong = [];
for (const folder of process.argv.slice(2)) {
  for (const fault of await faults(folder)) wrong.push(`${folder}: ${fault}`);
}
for (const { imports, of, most, from = "index" } of BUDGETS) {
  const bytes = await size(imports, from);
  process.stdout.write(`@hanzo/live-client, ${of}: ${bytes} bytes gzipped (at most ${most})\n`);
  if (bytes > most) wrong.push(`@hanzo/live-client, ${of}, is ${bytes} bytes gzipped; the budget is ${most}.`);
}
for (const line of wrong) process.stderr.write(`${line}\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;
