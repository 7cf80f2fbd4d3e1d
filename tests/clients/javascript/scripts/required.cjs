const { HanzoLiveClient } = require("@hanzo/live-client");

const client = new HanzoLiveClient({ url: process.env.URL, token: process.env.OLGA, model: "script-fast" });
client.chat({ content: "What is required?" }).text().then((text) => {
  process.stdout.write(text);
  client.disconnect();
});
