import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { HanzoLiveClient } from "@hanzo/live-client";

const sockets = [];
class Kept extends WebSocket {
  constructor(url) {
    super(url);
    sockets.push(this);
  }
}

const options = { url: process.env.URL, token: process.env.OLGA, WebSocket: Kept, reconnect: { delayMs: 10 } };
const question = { content: "What is a river?", model: "script-slow@rate=100" };
const cut = () => sockets.at(-1).terminate();

// It goes on by itself through a cut …
const client = new HanzoLiveClient(options);
let text = "";
for await (const piece of client.chat(question)) {
  if (text === "") cut();
  text += piece;
}
assert.equal(sockets.length, 2);
client.disconnect();

// … and where it may not, it says what there is so far, and is read on.
const careful = new HanzoLiveClient({ ...options, resumeOnReconnect: false });
const answer = careful.chat(question);
let error;
let had = "";
try {
  for await (const piece of answer) {
    had += piece;
    cut();
  }
} catch (reason) {
  error = reason;
}
assert.equal(error.code, "STREAM_INTERRUPTED");
assert.equal(error.text, had);
await careful.waitForReconnect();
assert.equal(await careful.resume(error.stream).text(), text);
careful.disconnect();
process.stdout.write(text);
