import assert from "node:assert/strict";
import { HanzoLiveClient } from "@hanzo/live-client";

const client = new HanzoLiveClient({ url: process.env.URL, token: process.env.OLGA });
const controller = new AbortController();
const answer = client.chat({ content: "Slowly", model: "script-slow", signal: controller.signal });
let error;
try {
  for await (const piece of answer) if (piece) controller.abort();
} catch (reason) {
  error = reason;
}
assert.equal(error.name, "AbortError");

// Watched from elsewhere: it ends as stopped.
const end = client.resume(answer.id);
await end.text();
assert.equal(end.state.status, "stopped");
client.disconnect();
