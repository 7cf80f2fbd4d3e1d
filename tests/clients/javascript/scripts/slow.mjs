import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { HanzoLiveClient } from "@hanzo/live-client";

const sent = [];
class Recording extends WebSocket {
  send(data) {
    sent.push(JSON.parse(data));
    super.send(data);
  }
}

const options = { url: process.env.URL, token: process.env.OLGA };
const client = new HanzoLiveClient({ ...options, WebSocket: Recording });
const answer = client.stream({ content: "Tell me everything.", model: "script-fast@tokens=60000", events: true });
const reading = answer[Symbol.asyncIterator]();
assert.equal((await reading.next()).value.type, "stream_start");

// Somebody else reads all of it meanwhile; then the slow one goes on.
const other = new HanzoLiveClient(options);
const whole = await other.resume(answer.id).text();
other.disconnect();
assert.ok(whole.length > 250_000);
assert.ok(answer.state.content.length < whole.length, "it was not held back");

let text = "";
for (let next = await reading.next(); !next.done; next = await reading.next()) {
  if (next.value.type === "token") text += next.value.data;
}
assert.equal(text, whole);
assert.ok(sent.some(({ type }) => type === "unsubscribe"));
assert.ok(sent.some(({ type, seq }) => type === "subscribe" && seq > 0));
process.stdout.write(text);
client.disconnect();
