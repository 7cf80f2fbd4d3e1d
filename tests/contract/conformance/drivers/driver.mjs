// Runs scenarios through a client of @hanzo/live-client: `node driver.mjs websocket|sse|store`, scenarios on stdin, outcomes on stdout.
import { HanzoLiveClient, HanzoLiveSSE, SessionStore } from "@hanzo/live-client";

const [how] = process.argv.slice(2);
const OVER = ["complete", "stopped", "failed"];

const optionsOf = ({ url, token, max_attempts }) => ({
  url,
  token,
  reconnect: { delayMs: 50, exponentialBackoff: false, maxAttempts: max_attempts },
});

const requestOf = ({ content, model, show_thoughts, flush_ms, buffer_size, local_node_url }) => ({
  content,
  model,
  showThoughts: show_thoughts,
  flushInterval: flush_ms ?? undefined,
  bufferSize: buffer_size ?? undefined,
  localNodeUrl: local_node_url ?? undefined,
});

const codeOf = (error) => error.code ?? String(error.stack ?? error);

async function rest(job, path, body) {
  const headers = { Authorization: `Bearer ${job.rest_token}`, "Content-Type": "application/json" };
  const response = await fetch(`${job.rest}${path}`, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
  return response.json();
}

async function untilOver(job, stream) {
  while (!OVER.includes((await rest(job, `/v1/streams/${stream}`)).status)) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** What a reader's place in the answer makes it do. */
function stepper(job, live) {
  let had = 0;
  const steps = [...job.client];
  return async () => {
    had += 1;
    while (steps[0] && had >= steps[0].after) {
      if (steps.shift().step === "stop") await live.stop();
      else await untilOver(job, live.id);
    }
  };
}

async function readEvents(job, live, outcome) {
  const step = stepper(job, live);
  try {
    for await (const event of live.events()) {
      outcome.events.push(event);
      if (event.type === "token") await step();
    }
  } catch (error) {
    outcome.error = codeOf(error);
  }
}

async function readPieces(live, outcome) {
  try {
    for await (const piece of live) outcome.pieces.push(piece);
  } catch (error) {
    outcome.pieces_error = codeOf(error);
  }
}

async function overSocket(job) {
  const client = new HanzoLiveClient(optionsOf(job));
  const outcomes = await Promise.all(
    job.asks.map(async (ask) => {
      const outcome = { events: [], pieces: [], text: null, error: null, pieces_error: null };
      const live = client.stream(requestOf(ask));
      // Another one who reads would keep the one who rests from holding the server back.
      const alone = job.client.some(({ step }) => step === "rest");
      const reading = readEvents(job, live, outcome);
      if (alone) await reading;
      await Promise.all([reading, readPieces(live, outcome)]);
      outcome.text = live.state?.content ?? "";
      return outcome;
    }),
  );
  client.disconnect();
  return outcomes;
}

const KINDS = ["stream_start", "token", "thought", "tool_call", "tool_result", "reset", "complete"];

async function overEvents(job) {
  const client = new HanzoLiveSSE(optionsOf(job));
  return Promise.all(
    job.asks.map(async (ask) => {
      const outcome = { events: [], pieces: null, text: null, error: null, pieces_error: null };
      const source = client.stream(requestOf(ask));
      const step = stepper(job, source);
      for (const kind of KINDS) {
        source.addEventListener(kind, ({ detail }) => {
          outcome.events.push(detail);
          if (kind === "token") void step();
        });
      }
      const ended = new Promise((resolve) => {
        source.addEventListener("complete", resolve);
        source.addEventListener("error", ({ detail, error }) => {
          if (detail) outcome.events.push(detail);
          else outcome.error = codeOf(error);
          resolve();
        });
      });
      outcome.text = await source.text().catch((error) => error.text ?? "");
      await ended;
      return outcome;
    }),
  );
}

/** What a page of `@hanzo/live` shows: the session's store, in a session of its own. */
async function overStore(job) {
  const client = new HanzoLiveClient(optionsOf(job));
  const outcomes = await Promise.all(
    job.asks.map(async (ask) => {
      const outcome = { events: null, pieces: null, text: "", error: null, pieces_error: null, ends: null };
      const { id } = await rest(job, "/v1/sessions", { title: "A scenario" });
      const store = new SessionStore(client, id, { showThoughts: ask.show_thoughts });
      const close = store.open();
      const { content, ...options } = requestOf(ask);
      let steps = [...job.client];
      const over = new Promise((resolve) => {
        const off = store.subscribe(() => {
          const state = store.getSnapshot();
          const failed = state.outgoing.find(({ status }) => status === "failed");
          const reply = state.messages.find(({ role }) => role === "assistant");
          const running = Object.values(state.streams).find(({ message }) => message === reply?.id);
          outcome.error = (failed?.error ?? state.connection.error)?.code ?? null;
          outcome.text = reply && OVER.includes(reply.status) ? reply.content : (running?.content ?? "");
          if (steps[0] && outcome.text.split(" ").length > steps[0].after) {
            steps = steps.slice(1);
            store.stop(running.id).catch((error) => (outcome.error = codeOf(error)));
          }
          if (reply && OVER.includes(reply.status)) {
            const error = reply.parts.find(({ type }) => type === "error");
            outcome.ends = error ? error.code.toUpperCase() : reply.finish_reason;
          }
          if (!failed && !state.connection.error && !outcome.ends) return;
          off();
          resolve();
        });
      });
      await store.send(content, options);
      await over;
      close();
      return outcome;
    }),
  );
  client.disconnect();
  return outcomes;
}

const run = { websocket: overSocket, sse: overEvents, store: overStore }[how];
let input = "";
for await (const piece of process.stdin) input += piece;
const outcomes = await Promise.all(
  JSON.parse(input).map((job) => run(job).catch((error) => [{ broken: String(error.stack ?? error) }])),
);
process.stdout.write(JSON.stringify(outcomes));
