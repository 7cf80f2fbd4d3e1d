import assert from "node:assert/strict";
import { EventSource } from "eventsource";

/** Reads by itself from wherever it was cut; what it sends and how it reconnects is the package's, by the HTML standard. */
const started = await fetch(`${process.env.URL}/v1/streams`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ content: "What is an event?", model: "script-slow@rate=12,tokens=24" }),
});
assert.equal(started.status, 202);
const { stream } = await started.json();

const source = new EventSource(`${process.env.THROUGH}/v1/streams/${stream}/events`);
let text = "";
let opened = 0;
source.addEventListener("open", () => (opened += 1));
source.addEventListener("snapshot", ({ data }) => (text = JSON.parse(data).state.streams[0].content));
source.addEventListener("token", ({ data }) => (text += JSON.parse(data).data));
await new Promise((resolve) => source.addEventListener("complete", resolve));

// It asks again, is told that there is no more (204), and rests.
await new Promise((resolve) => {
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) resolve();
  });
});
assert.equal(opened, 3);
process.stdout.write(text);
