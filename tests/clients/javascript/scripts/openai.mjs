import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.URL}/v1`, apiKey: process.env.OLGA, maxRetries: 0 });
const said = (content) => [{ role: "user", content }];

const models = [];
for await (const { id } of client.models.list()) models.push(id);
assert.ok(models.includes("script-tools"));

// As a stream, with what it used.
const stream = await client.chat.completions.create({
  model: "script-fast",
  messages: said("What is JavaScript?"),
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage = null;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(usage.completion_tokens, 256);

// Whole, and by the package's own helper, which puts a stream together.
const whole = await client.chat.completions.create({ model: "script-fast", messages: said("What is JavaScript?") });
assert.equal(whole.choices[0].message.content, text);
const helped = client.chat.completions.stream({ model: "script-fast", messages: said("What is JavaScript?") });
assert.equal(await helped.finalContent(), text);

// Tools, called and answered.
const weather = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
};
const asked = await client.chat.completions.create({ model: "script-tools", messages: said("Rome"), tools: [weather] });
const [call] = asked.choices[0].message.tool_calls;
assert.deepEqual(JSON.parse(call.function.arguments), { city: "Rome" });
const answered = await client.chat.completions.create({
  model: "script-tools",
  messages: [...said("Rome"), asked.choices[0].message, { role: "tool", tool_call_id: call.id, content: "It rains." }],
  tools: [weather],
});
assert.equal(answered.choices[0].message.content, "The tool said: It rains.");

// What fails has the package's own classes; what is left is stopped.
const refused = { model: "script-context", messages: said("Too long") };
await assert.rejects(client.chat.completions.create(refused), OpenAI.BadRequestError);
const wrong = new OpenAI({ baseURL: `${process.env.URL}/v1`, apiKey: "hl_wrong", maxRetries: 0 });
await assert.rejects(wrong.chat.completions.create(refused), OpenAI.AuthenticationError);
const left = await client.chat.completions.create({
  model: "script-slow@rate=50,tokens=100000",
  messages: said("For ever"),
  stream: true,
});
for await (const chunk of left) if (chunk.choices[0]?.delta.content) break;
process.stdout.write(text);
