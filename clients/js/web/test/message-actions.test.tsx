import { HanzoLiveProvider } from "@hanzo/live";
import type { Message, Role } from "@hanzo/live-client";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { TestServer } from "../../live-client/test/support";
import { SessionPage } from "../src/session/SessionPage";
import { ada, config, grace, message, openSession, TestRest } from "./support";

let server: TestServer;
let rest: TestRest;

beforeEach(async () => {
  [server, rest] = await Promise.all([TestServer.start(), TestRest.start()]);
});

afterEach(async () => {
  await Promise.all([server.stop(), rest.stop()]);
});

function open(role: Role, messages: Message[]) {
  openSession(
    server,
    [
      { user: ada, role },
      { user: grace, role: "owner" },
    ],
    messages,
  );
  render(
    <HanzoLiveProvider url={server.url} WebSocket={WebSocket} reconnect={{ delayMs: 5 }}>
      <SessionPage session="p" config={config} />
    </HanzoLiveProvider>,
  );
  return userEvent.setup();
}

const mine = () => message(1, { content: "Why is the sky blue?" });
const waiting = (n: number, stream: string, user = ada) =>
  message(n, { role: "assistant", content: "", stream, status: "queued", user });

async function menuOf(user: ReturnType<typeof userEvent.setup>, n: number) {
  await user.click(await screen.findByRole("button", { name: `More for message ${n}` }));
  return within(screen.getByRole("menu"));
}

describe("what can be done with a message", () => {
  it("asks one's own prompt again in other words, as a new message, and keeps the old one", async () => {
    const user = open("editor", [mine()]);
    await user.click((await menuOf(user, 1)).getByRole("menuitem", { name: "Edit and ask again" }));
    const field = screen.getByRole("textbox", { name: "Edit the message" });
    expect(document.activeElement).toBe(field);
    await user.type(field, " In short.{Enter}");
    await server.until(() => server.count("message.send") === 1);
    expect(server.received.find(({ type }) => type === "message.send")).toMatchObject({
      content: "Why is the sky blue? In short.",
    });
    await screen.findByText("Why is the sky blue?");
    expect(screen.queryByRole("textbox", { name: "Edit the message" })).toBeNull();
  });

  it("leaves a prompt as it was on Escape, and asks nothing that is empty", async () => {
    const user = open("editor", [mine()]);
    await user.click((await menuOf(user, 1)).getByRole("menuitem", { name: "Edit and ask again" }));
    const field = screen.getByRole("textbox", { name: "Edit the message" });
    await user.clear(field);
    expect(screen.getByRole("button", { name: "Ask again" })).toHaveProperty("disabled", true);
    await user.type(field, "{Enter}Something else{Escape}");
    expect(screen.getByText("Why is the sky blue?")).toBeDefined();
    expect(server.count("message.send")).toBe(0);
  });

  it("offers no editing of what others said, nor to viewers", async () => {
    const user = open("viewer", [mine(), message(2, { content: "And the sea?", user: grace })]);
    for (const n of [1, 2]) {
      const menu = await menuOf(user, n);
      expect(menu.queryByRole("menuitem", { name: "Edit and ask again" })).toBeNull();
      expect(menu.getByRole("menuitem", { name: "Copy link to this message" })).toBeDefined();
      await user.keyboard("{Escape}");
    }
  });

  it("makes a new session with all up to a message, and says so where that fails", async () => {
    const said = mine();
    const user = open("viewer", [said]);
    await user.click((await menuOf(user, 1)).getByRole("menuitem", { name: "Start a new session from here" }));
    await screen.findByText("Nothing is here.");
    expect(rest.requests.at(-1)).toMatchObject({
      method: "POST",
      path: "/v1/sessions/p/duplicate",
      body: { from_message: said.id },
    });
  });
});

describe("the queue", () => {
  const queued = () => [
    mine(),
    waiting(2, "s1"),
    message(3, { content: "And the sea?" }),
    waiting(4, "s2"),
    message(5, { content: "And the sun?", user: grace }),
    waiting(6, "s3", grace),
  ];

  it("shows who waits with what, in order, and takes one's own back", async () => {
    const user = open("editor", queued());
    const rows = await waitFor(() => {
      const found = within(screen.getByText("2 more wait").parentElement as HTMLElement).getAllByRole("listitem");
      expect(found).toHaveLength(2);
      return found;
    });
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringContaining("YouAnd the sea?"),
      expect.stringContaining("Grace HopperAnd the sun?"),
    ]);
    await user.click(screen.getByRole("button", { name: "Take back “And the sea?”" }));
    await server.until(() => server.count("stream.stop") === 1);
    expect(server.received.find(({ type }) => type === "stream.stop")).toMatchObject({ stream: "s2" });
  });

  it("offers viewers nothing to take back", async () => {
    open("viewer", queued());
    await screen.findByText("2 more wait");
    expect(screen.queryByRole("button", { name: /Take back|Remove/ })).toBeNull();
  });
});
