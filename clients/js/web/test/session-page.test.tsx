import { HanzoLiveProvider } from "@hanzo/live";
import type { MemberInfo, Message, Role } from "@hanzo/live-client";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { complete, fixture, start, TestServer, token, type Entry } from "../../live-client/test/support";
import { SessionPage } from "../src/session/SessionPage";
import { DraftServer } from "../../live/test/support/draft-server";
import { ada, config, grace, message, openSession, socketTo, TestRest } from "./support";

let server: TestServer;
let rest: TestRest;
let draft: DraftServer;

beforeEach(async () => {
  [server, rest] = await Promise.all([TestServer.start(), TestRest.start()]);
  server.welcome = { ...server.welcome, user: { ...ada, anonymous: false } };
  draft = new DraftServer(server);
});

afterEach(async () => {
  await Promise.all([server.stop(), rest.stop()]);
});

function open(role: Role, messages: Message[] = []) {
  const members: MemberInfo[] = [
    { user: ada, role },
    { user: grace, role: "owner" },
  ];
  openSession(server, members, messages);
  render(
    <StrictMode>
      <HanzoLiveProvider
        WebSocket={socketTo(server)}
        reconnect={{ delayMs: 5, maxAttempts: Infinity }}
      >
        <SessionPage session="p" config={config} />
      </HanzoLiveProvider>
    </StrictMode>,
  );
  return userEvent.setup();
}

const field = () => screen.getByRole("textbox", { name: "Message" });

/** Grace asks, and a model begins to answer. */
function graceAsks(...said: Entry[]) {
  const reply = message(2, {
    id: "r",
    role: "assistant",
    content: "",
    stream: "s",
    status: "queued",
    user: grace,
  });
  server.publish(
    "session:p",
    { type: "message", message: message(1, { content: "Why is the sea salty?", user: grace }) },
    { type: "message", message: reply },
    { ...start("s"), message: "r", user: grace, model: "smollm2-135m" } as Entry,
    ...said,
  );
}

/** A `progress` of the answer: it is in no log. */
function note(fields: object) {
  const nothing = { tokens: 0, total: null, percent: null, eta_s: null, tokens_per_second: null, queue_position: null };
  for (const peer of server.peers)
    peer.send({ ...fixture<object>("event.progress"), log: "session:p", stream: "s", ...nothing, ...fields });
}

describe("a session's page", () => {
  it("shows what others ask and the answer as it is written, and says its end to screen readers", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() => graceAsks(token("s", "Because **rivers** carry")));
    await screen.findByText("rivers");
    expect(screen.getByText("Why is the sea salty?")).toBeDefined();
    const answer = screen.getByRole("article", { name: "Answer" });
    expect(answer.getAttribute("aria-busy")).toBe("true");
    await within(answer).findByText("SmolLM2 135M (demo model)");
    expect(within(answer).getByText("Grace Hopper")).toBeDefined();
    act(() => server.publish("session:p", token("s", " salt."), { ...complete("s"), message: "r" } as Entry));
    await waitFor(() => expect(answer.getAttribute("aria-busy")).toBe("false"));
    expect(within(answer).getByText(/3 tokens · 30 tokens\/s/)).toBeDefined();
    await screen.findByText("Answer: Because **rivers** carry salt.");
    expect(screen.queryByRole("button", { name: /Stop/ })).toBeNull();
  });

  it("sends with Enter, breaks lines with Shift+Enter, and shows the message once", async () => {
    const user = open("editor");
    await screen.findByText("Nothing has been said yet");
    await user.type(field(), "one{Shift>}{Enter}{/Shift}two{Enter}");
    await screen.findByText(/one\s+two/);
    await waitFor(() => expect(screen.queryByRole("article", { name: "On its way" })).toBeNull());
    expect(screen.getAllByText(/one\s+two/)).toHaveLength(1);
    expect(draft.posted).toEqual(new Map([[1, "one\ntwo"]]));
    expect(field()).toHaveProperty("value", "");
  });

  it("says of answers from before it was opened how they went, and nothing where that cannot be had", async () => {
    const past = { id: "r", role: "assistant" as const, content: "Because", stream: "s", user: grace };
    const stopped = message(2, { ...past, status: "stopped" });
    rest.answers.set("GET /v1/sessions/p/streams", {
      status: 200,
      body: {
        results: [
          {
            message: "r",
            model: "another-model",
            stopped_by: ada,
            usage: { completion_tokens: 7 },
            timings: { duration_ms: 500, tokens_per_second: 14 },
          },
        ],
        next: null,
        previous: null,
      },
    });
    open("editor", [message(1), stopped, message(4, { ...past, id: "q", stream: "t", status: "stopped" })]);
    await screen.findByText("Stopped by Ada Lovelace · 7 tokens · 14 tokens/s");
    expect(screen.getByText("another-model")).toBeDefined();
    expect(screen.getByText("Stopped")).toBeDefined();
    const asked = rest.requests.filter(({ path }) => path.startsWith("/v1/sessions/p/streams"));
    expect(asked.map(({ path }) => path)).toContain(
      "/v1/sessions/p/streams?after_n=1&before_n=5&content=false&limit=200",
    );
  });

  it("says of an answer from the cache that it is", async () => {
    const past = { id: "r", role: "assistant" as const, content: "Because", stream: "s", user: grace };
    const facts = { message: "r", model: "m", stopped_by: null, usage: { completion_tokens: 7 }, timings: null };
    rest.answers.set("GET /v1/sessions/p/streams", {
      status: 200,
      body: { results: [{ ...facts, cached: "exact" }], next: null, previous: null },
    });
    open("editor", [message(1), message(2, past)]);
    await screen.findByText("From the cache · 7 tokens");
  });

  it("stops with the button and with Escape", async () => {
    const user = open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() => graceAsks(token("s", "Because")));
    await user.click(await screen.findByRole("button", { name: /Stop/ }));
    await user.type(field(), "{Escape}");
    await server.until(() => server.count("stream.stop") === 2);
    act(() =>
      server.publish("session:p", { ...complete("s", "stopped"), message: "r", stopped_by: ada } as Entry),
    );
    await screen.findByText(/Stopped by Ada Lovelace/);
    expect(screen.getByText("Because")).toBeDefined();
  });

  it("lets a viewer watch, and says why they cannot write", async () => {
    open("viewer");
    await screen.findByText(/watching as a viewer/);
    act(() => graceAsks(token("s", "Because")));
    await screen.findByText("Because");
    expect(field()).toHaveProperty("readOnly", true);
    act(() => draft.write("What others are writing"));
    await waitFor(() => expect(field()).toHaveProperty("value", "What others are writing"));
    expect(screen.queryByRole("button", { name: /Stop/ })).toBeNull();
  });

  it("lets a viewer write as soon as they are made an editor", async () => {
    open("viewer");
    await screen.findByText(/watching as a viewer/);
    act(() => server.publish("session:p", { type: "member", action: "role", user: ada, role: "editor" }));
    await waitFor(() => expect(field()).toHaveProperty("readOnly", false));
  });

  it("asks again with the same prompt where an answer failed", async () => {
    const user = open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() =>
      graceAsks({
        type: "error",
        stream: "s",
        code: "node_unavailable",
        message: "The inference node does not answer.",
        retryable: true,
        partial: false,
        usage: null,
      }),
    );
    await screen.findByText("The inference node does not answer.");
    await user.click(screen.getByRole("button", { name: "Retry" }));
    await server.until(() => server.count("message.send") === 1);
    const sent = server.received.filter(({ type }) => type === "message.send");
    expect(sent).toMatchObject([{ content: "Why is the sea salty?" }]);
  });

  it("says what to do instead where asking again cannot help, and offers no Retry", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() =>
      graceAsks({
        type: "error",
        stream: "s",
        code: "context_length",
        message: "The conversation is longer than the model can read.",
        retryable: false,
        partial: false,
        usage: null,
      }),
    );
    await screen.findByText("The conversation is longer than the model can read.");
    expect(screen.getByText(/go on in a new session/)).toBeDefined();
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  });

  it("still knows why an answer failed when the page is opened later", async () => {
    const failed = (n: number, retryable: boolean) =>
      message(n, {
        role: "assistant",
        status: "failed",
        content: "",
        stream: `s${n}`,
        parts: [{ type: "error", code: "node_error", message: `Reason ${n}.`, retryable }],
      });
    open("editor", [message(1), failed(2, true), failed(3, false)]);
    const first = (await screen.findByText("Reason 2.")).parentElement as HTMLElement;
    expect(within(first).getByRole("button", { name: "Retry" })).toBeDefined();
    const second = screen.getByText("Reason 3.").parentElement as HTMLElement;
    expect(within(second).queryByRole("button", { name: "Retry" })).toBeNull();
  });

  it("keeps thoughts open while it thinks, and folds them when it answers", async () => {
    const user = open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() => graceAsks({ type: "thought", stream: "s", step: 0, data: "Rivers, then.", n: 2 }));
    await screen.findByText("Rivers, then.");
    act(() => server.publish("session:p", token("s", "Because")));
    await waitFor(() => expect(screen.queryByText("Rivers, then.")).toBeNull());
    await user.click(screen.getByRole("button", { name: /Thought for/ }));
    expect(screen.getByText("Rivers, then.")).toBeDefined();
  });

  it("still knows how long it thought when the page is opened later", async () => {
    const past = message(2, {
      role: "assistant",
      content: "Because",
      stream: "s",
      parts: [
        { type: "reasoning", text: "Rivers, then.", duration_ms: 9_000 },
        { type: "reasoning", text: "Or stones.", duration_ms: 3_100 },
      ],
    });
    const user = open("editor", [message(1), past]);
    const toggle = await screen.findByRole("button", { name: "Thought for 12 s" });
    expect(screen.queryByText("Or stones.")).toBeNull();
    await user.click(toggle);
    expect(screen.getAllByRole("listitem").map((each) => each.textContent)).toEqual(["Rivers, then.", "Or stones."]);
  });

  it("takes the server's word for how long it thought, and writes it down", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() =>
      graceAsks({ type: "thought", stream: "s", step: 0, data: "Rivers.", n: 2 }, token("s", "Because"), {
        ...complete("s"),
        message: "r",
        thoughts_ms: [42_000],
      } as Entry),
    );
    await screen.findByRole("button", { name: "Thought for 42 s" });
  });

  it("says how far an answer is, and draws it only where the server has a ground for it", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    const report = (fields: object) =>
      note({ tokens: 40, total: 500, tokens_per_second: 20, phase: "answering", ...fields });
    act(() => graceAsks(token("s", "Because")));
    act(() => report({}));
    await screen.findByText("Writing · 40 of at most 500 tokens · 20 tokens/s");
    expect(screen.queryByRole("progressbar")).toBeNull();
    act(() => report({ total: 100, percent: 40, eta_s: 3.2 }));
    await screen.findByText("Writing · 40 of about 100 tokens · 20 tokens/s · about 3 s left");
    const bar = screen.getByRole("progressbar", { name: "How far the answer is" });
    expect(bar.getAttribute("value")).toBe("40");
    act(() => report({ total: null, percent: 31 }));
    await screen.findByText("Writing · 40 tokens · 20 tokens/s");
    expect(bar.getAttribute("value")).toBe("40");
  });

  it("says how many are before an answer that waits", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    const reply = { id: "r", role: "assistant" as const, content: "", stream: "s", status: "queued" as const };
    act(() =>
      server.publish(
        "session:p",
        { type: "message", message: message(1) },
        { type: "message", message: message(2, reply) },
      ),
    );
    const place = { phase: "queued", queue_position: 3 };
    act(() => note(place));
    const facts = () => document.querySelector(".live-facts")?.textContent;
    await waitFor(() => expect(facts()).toBe("In the queue, 3 before it"));
    act(() => {
      server.publish("session:p", { ...start("s"), message: "r" } as Entry);
      note(place);
    });
    await waitFor(() => expect(facts()).toBe("Waiting for the model"));
  });

  it("keeps the text through a cut, and says what the connection does", async () => {
    const user = open("editor");
    await screen.findByText("Live");
    act(() => graceAsks(token("s", "one ")));
    await screen.findByText("one");
    await user.type(field(), "not lost");
    const { port } = server;
    await act(() => server.stop());
    await screen.findByText(/Reconnecting/);
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", true);
    expect(screen.getByText(/Your text is kept/)).toBeDefined();
    expect(screen.getByText("Not connected")).toBeDefined();
    expect(screen.getByRole("button", { name: /Stop/ })).toHaveProperty("disabled", true);
    const log = server.log("session:p");
    await user.type(field(), " either");
    const { welcome } = server;
    server = await TestServer.start(port);
    server.welcome = welcome;
    server.logs.set("session:p", log);
    draft = new DraftServer(server);
    log.append(token("s", "two"));
    await screen.findByText("one two", undefined, { timeout: 4000 });
    expect(field()).toHaveProperty("value", "not lost either");
    await waitFor(() => expect(draft.text).toBe("not lost either"));
  });

  it("says that there is no network once the server does not answer either, and comes back with it", async () => {
    open("editor");
    await screen.findByText("Live");
    const network = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    act(() => void window.dispatchEvent(new Event("offline")));
    await server.until(() => server.count("ping") === 1);
    expect(screen.getByText("Live")).toBeDefined();

    const { port } = server;
    await act(() => server.stop());
    await screen.findByRole("button", { name: "Offline" });
    expect(screen.getByText(/reconnects by itself when the network is back/)).toBeDefined();
    const log = server.log("session:p");
    server = await TestServer.start(port);
    server.logs.set("session:p", log);
    draft = new DraftServer(server);
    network.mockRestore();
    act(() => void window.dispatchEvent(new Event("online")));
    await screen.findByText("Live");
  });

  it("tells a removed member that access ended", async () => {
    open("editor");
    await screen.findByText("Nothing has been said yet");
    act(() => {
      for (const peer of server.peers)
        peer.send({ type: "unsubscribed", log: "session:p", reason: "removed" });
    });
    await screen.findByText("You are no longer a member of this session.");
    expect(screen.queryByRole("textbox", { name: "Message" })).toBeNull();
    const skip = screen.getByRole("link", { name: "Skip to why access ended" });
    expect(document.querySelector(skip.getAttribute("href") ?? "")?.textContent).toContain("Access ended");
  });

  it("says that a session cannot be had", async () => {
    server.handlers.set("subscribe", (frame, peer) =>
      peer.send({ ...fixture<object>("reply.error"), id: frame.id, code: "not_found", message: "No." }),
    );
    open("editor");
    await screen.findByText("There is no such session here");
  });

  it("adds people by e-mail, with the CSRF token, and shows a refusal in words", async () => {
    document.cookie = "csrftoken=t0ken";
    const user = open("owner");
    await user.click(await screen.findByRole("button", { name: "People (2)" }));
    rest.answers.set("POST /v1/sessions/p/members", {
      status: 409,
      body: {
        ...fixture<object>("reply.error"),
        code: "conflict",
        field: "email",
        message: "They are a member already.",
      },
    });
    await user.type(screen.getByLabelText("Add by e-mail"), "alan@example.com");
    await user.selectOptions(screen.getByLabelText("Role"), "viewer");
    await user.click(screen.getByRole("button", { name: "Add" }));
    await screen.findByText("They are a member already.");
    expect(rest.last("POST")).toMatchObject({
      body: { email: "alan@example.com", role: "viewer" },
      headers: { "x-csrftoken": "t0ken" },
    });
  });

  it("lets owners rename it, and shows the new title when the log has it", async () => {
    const user = open("owner");
    await user.click(await screen.findByRole("button", { name: /Plans/ }));
    rest.answers.set("PATCH /v1/sessions/p", { status: 200, body: {} });
    const title = screen.getByRole("textbox", { name: "Title of the session" });
    await user.clear(title);
    await user.type(title, "Better plans{Enter}");
    await waitFor(() => expect(rest.requests.at(-1)?.body).toEqual({ title: "Better plans" }));
    act(() => server.publish("session:p", { type: "session", session: { title: "Better plans" } }));
    await screen.findByRole("button", { name: /Better plans/ });
    expect(document.title).toBe("Better plans · Hanzo Live");
  });

  it("loads older messages when the reader goes up", async () => {
    const all = Array.from({ length: 60 }, (_, index) => message(index + 1));
    open("editor", all);
    await screen.findByText("message 60");
    expect(screen.queryByText("message 5")).toBeNull();
    const page = (results: Message[], next: string | null) => ({
      status: 200,
      body: { results, next, previous: null },
    });
    const older = "http://other.example/v1/sessions/p/messages?limit=50&cursor=b11";
    rest.answers.set("GET /v1/sessions/p/messages?limit=50", page(all.slice(10), older));
    rest.answers.set("GET /v1/sessions/p/messages?limit=50&cursor=b11", page(all.slice(0, 10), null));
    act(() => void screen.getByRole("main").dispatchEvent(new Event("scroll")));
    await screen.findByText("message 5");
    expect(screen.getAllByText(/^message \d+$/)).toHaveLength(60);
  });
});
