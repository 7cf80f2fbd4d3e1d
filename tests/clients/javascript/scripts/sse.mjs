import assert from "node:assert/strict";
import { HanzoLiveSSE } from "@hanzo/live-client";

/** Breaks the first four responses in the middle of their second piece with events. */
const asked = [];
async function cutting(url, init) {
  asked.push(init);
  const response = await fetch(url, init);
  if (asked.length > 4) return response;
  let whole = 0;
  const cut = new TransformStream({
    transform(chunk, controller) {
      if (chunk.length > 50 && ++whole === 2) {
        controller.enqueue(chunk.subarray(0, chunk.length / 2));
        controller.error(new Error("cut"));
      } else {
        controller.enqueue(chunk);
      }
    },
  });
  return new Response(response.body.pipeThrough(cut), response);
}

const options = { url: process.env.URL, token: process.env.OLGA, reconnect: { delayMs: 5 } };
const client = new HanzoLiveSSE({ ...options, fetch: cutting });
const source = await client.stream({ content: "What is a stone?", model: "script-slow@rate=50" });
let text = "";
source.addEventListener("token", (event) => {
  assert.equal(event.data, event.detail.data);
  text += event.data;
});
const end = await new Promise((resolve, reject) => {
  source.addEventListener("complete", (event) => resolve(event.detail));
  source.addEventListener("error", (event) => reject(event.error));
});
assert.equal(end.finish_reason, "stop");
assert.equal(asked.length, 5);
assert.ok(asked.slice(1).every(({ headers }) => headers["Last-Event-ID"]));

// Stopped by us; refused; and one in a session.
const slow = new HanzoLiveSSE(options).stream({ content: "Slowly", model: "script-slow" });
slow.addEventListener("token", () => void slow.stop());
const stopped = await new Promise((resolve) => slow.addEventListener("complete", ({ detail }) => resolve(detail)));
assert.equal(stopped.finish_reason, "stopped");

const wrong = new HanzoLiveSSE({ ...options, token: "hl_wrong" }).stream({ content: "Hi" });
await assert.rejects(wrong.text(), { code: "UNAUTHENTICATED" });

const made = await fetch(`${process.env.URL}/v1/sessions`, {
  method: "POST",
  headers: { Authorization: `Bearer ${process.env.OLGA}`, "Content-Type": "application/json" },
  body: "{}",
});
const { id } = await made.json();
const inside = new HanzoLiveSSE(options).stream({ content: "In a session", session: id, model: "script-echo" });
assert.match(await inside.text(), /In a session/);
process.stdout.write(text);
