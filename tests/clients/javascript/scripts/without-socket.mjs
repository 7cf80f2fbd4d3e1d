import assert from "node:assert/strict";
import { HanzoLiveClient } from "@hanzo/live-client";

// From Node 22 on there is one.
delete globalThis.WebSocket;
const client = new HanzoLiveClient({ url: process.env.URL });
const attempts = [];
client.on("reconnect", (attempt) => attempts.push(attempt));
const said = { code: "NO_WEBSOCKET", message: /npm install ws/ };
await assert.rejects(client.connect(), said);
await assert.rejects(client.chat({ content: "Hi" }).text(), said);
assert.deepEqual(attempts, []);
