import assert from "node:assert/strict";
import { HanzoLiveClient } from "@hanzo/live-client";

const warnings = [];
console.warn = (line) => warnings.push(line);
const posted = [];
const real = globalThis.fetch;
globalThis.fetch = async (url, init) => {
  const response = await real(url, init);
  posted.push([String(url), response.status]);
  return response;
};

const metrics = { enabled: true, endpoint: "http://prometheus:9090" };
const client = new HanzoLiveClient({ url: process.env.URL, token: process.env.OLGA, metrics });
await client.chat({ content: "Hello", model: "script-fast" }).text();
await client.chat({ content: "Hello", model: "script-context" }).text().catch(() => undefined);
client.disconnect();
while (posted.length === 0) await new Promise((resolve) => setImmediate(resolve));
assert.deepEqual(posted, [[`${process.env.URL}/v1/metrics/client`, 204]]);
assert.equal(warnings.length, 1);
assert.match(warnings[0], /http:\/\/prometheus:9090 is not contacted/);
