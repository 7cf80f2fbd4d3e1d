import assert from "node:assert/strict";
import { HanzoLiveClient } from "@hanzo/live-client";

const client = new HanzoLiveClient({ url: process.env.URL, token: process.env.OLGA, model: "script-fast" });
const seen = [];
client.on("stream_start", ({ model, userId }) => seen.push(["start", model, userId]));
client.on("stream_complete", ({ duration, totalTokens }) => seen.push(["complete", totalTokens, typeof duration]));
const welcome = await client.connect();

const messages = [{ role: "user", content: "What is light?" }];
let text = "";
for await (const piece of client.chat({ messages })) text += piece;
process.stdout.write(text);
assert.deepEqual(seen, [
  ["start", "script-fast", welcome.user.id],
  ["complete", 256, "number"],
]);

// Events, with thoughts, and the same text by all ways to it.
const thinking = client.stream({ messages, model: "script-thoughts", showThoughts: true, events: true });
const types = new Set();
let fromEvents = "";
for await (const event of thinking) {
  types.add(event.type);
  if (event.type === "token") fromEvents += event.data;
}
assert.deepEqual([...types], ["stream_start", "thought", "token", "complete"]);
assert.equal(fromEvents, await thinking.text());

// Many at once over one socket, each with its own text; and each with a socket of its own.
for (const multiplexing of [true, false]) {
  const many = new HanzoLiveClient({ url: process.env.URL, token: process.env.OLGA, multiplexing });
  const asked = Array.from({ length: 10 }, (_, n) => `Question ${n}`);
  const said = await Promise.all(asked.map((content) => many.chat({ content, model: "script-echo" }).text()));
  asked.forEach((question, n) => assert.match(said[n], new RegExp(question)));
  many.disconnect();
}

// A refusal surfaces where it is read, with the wire's code in upper case.
await assert.rejects(client.chat({ content: "Hi", localNodeUrl: "http://192.0.2.1:1" }).text(), { code: "FORBIDDEN" });
await assert.rejects(client.chat({ content: "Hi", model: "script-error-midway@fail_at=3" }).text(), (error) => {
  assert.match(error.code, /^[A-Z_]+$/);
  assert.ok(error.stream);
  return true;
});
client.disconnect();
