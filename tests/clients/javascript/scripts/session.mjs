import assert from "node:assert/strict";
import { HanzoLiveClient } from "@hanzo/live-client";

const url = process.env.URL;
const rest = async (method, path, token, body) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(`${url}/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
};

const { id } = await rest("POST", "sessions", process.env.OLGA, { title: "Plans" });
let asked = 0;
const getToken = async () => {
  asked += 1;
  return process.env.OLGA;
};
const olga = new HanzoLiveClient({ url, getToken });
const { url: link } = await olga.inviteUser(id, null, "editor");
assert.equal(asked, 1);

const token = new URL(link).pathname.split("/").filter(Boolean).at(-1);
await rest("POST", `invitations/${token}/accept`, process.env.TARIQ, {});

const tariq = new HanzoLiveClient({ url, token: process.env.TARIQ });
const events = [];
const over = new Promise((resolve) => {
  olga.subscribe(`session:${id}`, (event) => {
    events.push(event.type);
    if (event.type === "complete") resolve();
  });
});
const { message, stream } = await tariq.sendMessage({ session: id, content: "Hello", model: "script-echo" });
assert.ok(message && stream);
await over;
assert.ok(["snapshot", "token", "complete"].every((type) => events.includes(type)), events.join());
olga.disconnect();
tariq.disconnect();
