import { relativeTime } from "@hanzo/live-ui";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import type { Found, SessionSummary } from "../src/api/resources";
import { messageAt, messagePath, pageAt, sessionPath } from "../src/routes";
import { piecesOf } from "../src/sessions/marks";
import { SessionsPage } from "../src/sessions/SessionsPage";
import { config, TestRest } from "./support";

let rest: TestRest;

beforeEach(async () => {
  rest = await TestRest.start();
});

afterEach(async () => {
  history.replaceState(null, "", "/");
  await rest.stop();
});

function summary(id: string, fields: Partial<SessionSummary> = {}): SessionSummary {
  return {
    id,
    slug: null,
    title: `Session ${id}`,
    model: "smollm2-135m",
    archived: false,
    settings: { system_prompt: null, overlap: "queue" },
    role: "owner",
    created_at: "2026-11-23T15:00:00Z",
    updated_at: "2026-11-23T15:00:00Z",
    unread: 0,
    ...fields,
  };
}

function have(...results: SessionSummary[]) {
  rest.answers.set("GET /v1/sessions", { status: 200, body: { results, next: null, previous: null } });
}

describe("the list of sessions", () => {
  it("invites to begin where there is none", async () => {
    have();
    render(<SessionsPage config={config} />);
    await screen.findByText("Start your first session");
    expect(screen.getByLabelText("Title")).toBeDefined();
    expect(screen.queryByRole("searchbox")).toBeNull();
  });

  it("lists sessions with their model, and moves with the arrow keys", async () => {
    have(summary("a"), summary("b", { slug: "plans", role: "viewer" }));
    render(<SessionsPage config={config} />);
    const rows = await screen.findAllByRole("link", { name: /Session/ });
    expect(rows.map((row) => row.getAttribute("href"))).toEqual(["/s/a", "/s/plans"]);
    await screen.findAllByText("SmolLM2 135M (demo model)");
    expect(screen.getByText("Viewer")).toBeDefined();
    rows[0]?.focus();
    await userEvent.keyboard("{ArrowDown}");
    expect(document.activeElement).toBe(rows[1]);
  });

  it("says what went wrong, and tries again", async () => {
    rest.answers.set("GET /v1/sessions", { status: 502, body: "no JSON of ours" });
    render(<SessionsPage config={config} />);
    await screen.findByText(/status 502/);
    have(summary("a"));
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    await screen.findByText("Session a");
  });

  it("counts what is unread", async () => {
    have(summary("a", { unread: 3 }), summary("b", { unread: 100 }), summary("c"));
    render(<SessionsPage config={config} />);
    await screen.findByRole("link", { name: /Session a\s*3\s*unread/ });
    expect(screen.getByRole("link", { name: /Session b\s*100\+\s*unread/ })).toBeDefined();
    expect(screen.queryByRole("link", { name: /Session c.*unread/ })).toBeNull();
  });

  it("archives from a row's menu, and takes that back", async () => {
    have(summary("a"));
    const user = userEvent.setup();
    render(<SessionsPage config={config} />);
    await user.click(await screen.findByRole("button", { name: "Options of Session a" }));
    rest.answers.set("PATCH /v1/sessions/a", { status: 200, body: summary("a") });
    have();
    await user.click(screen.getByRole("menuitem", { name: "Archive" }));
    await screen.findByText("“Session a” is archived.");
    expect(rest.last("PATCH")?.body).toEqual({ archived: true });
    have(summary("a"));
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await screen.findByText("Session a");
    expect(rest.last("PATCH")?.body).toEqual({ archived: false });
  });

  it("deletes only after asking, and only what has that title", async () => {
    have(summary("a", { title: "Old & done" }));
    const user = userEvent.setup();
    render(<SessionsPage config={config} />);
    await user.click(await screen.findByRole("button", { name: /^Options/ }));
    await user.click(screen.getByRole("menuitem", { name: "Delete" }));
    const dialog = screen.getByRole("alertdialog");
    expect(document.activeElement?.textContent).toBe("Cancel");
    const path = "DELETE /v1/sessions/a?confirm=Old%20%26%20done";
    const refusal = { type: "error", code: "conflict", message: "Look again.", retryable: false };
    rest.answers.set(path, { status: 409, body: refusal });
    await user.click(within(dialog).getByRole("button", { name: "Delete" }));
    await screen.findByText("Look again.");
    rest.answers.set(path, { status: 204, body: null });
    have();
    await user.click(within(dialog).getByRole("button", { name: "Delete" }));
    await screen.findByText("“Old & done” was deleted.");
  });

  it("offers members who do not own it to leave, and nothing of an owner's", async () => {
    have(summary("a", { role: "editor" }));
    const user = userEvent.setup();
    render(<SessionsPage config={config} />);
    await user.click(await screen.findByRole("button", { name: /^Options/ }));
    const names = screen.getAllByRole("menuitem").map((item) => item.textContent);
    expect(names).toEqual(["Copy link", "Duplicate", "Leave"]);
    await user.click(screen.getByRole("menuitem", { name: "Leave" }));
    rest.answers.set("DELETE /v1/sessions/a/members/u-ada", { status: 204, body: null });
    have();
    await user.click(screen.getByRole("button", { name: "Leave" }));
    await screen.findByText("You left “Session a”.");
  });

  it("shows why a session cannot be made", async () => {
    have();
    const body = { type: "error", code: "bad_request", message: "The title is too long.", retryable: false };
    rest.answers.set("POST /v1/sessions", { status: 400, body });
    render(<SessionsPage config={config} />);
    await userEvent.type(await screen.findByLabelText("Title"), "Plans");
    await userEvent.click(screen.getByRole("button", { name: "Create session" }));
    await screen.findByText("The title is too long.");
    expect(rest.requests.at(-1)?.body).toEqual({ title: "Plans" });
  });
});

describe("searching", () => {
  const found: Found[] = [
    {
      session: { id: "a", slug: "plans", title: "Plans", archived: false },
      message: { id: "m", n: 7, role: "user", user: config.user, created_at: "2026-11-23T15:00:00Z" },
      snippet: { text: "🦩 cranes <b>winter</b>", marks: [[2, 8]] },
    },
    {
      session: { id: "b", slug: null, title: "Cranes", archived: true },
      message: null,
      snippet: { text: "Cranes", marks: [[0, 6]] },
    },
  ];
  const answer = (words: string, results: Found[]) =>
    rest.answers.set(`GET /v1/search?q=${words}`, {
      status: 200,
      body: { results, next: null, previous: null },
    });

  it("finds messages and sessions, marks the words, and links to what was found", async () => {
    have(summary("a"));
    answer("crane", found);
    const user = userEvent.setup();
    render(<SessionsPage config={config} />);
    await screen.findByText("Session a");
    await user.keyboard("/");
    expect(document.activeElement).toBe(screen.getByRole("searchbox"));
    await user.keyboard("crane");
    await screen.findByText("2 results");
    const links = screen.getAllByRole("link", { name: /Cranes|Plans/i });
    expect(links.map((link) => link.getAttribute("href"))).toEqual(["/s/plans#m-7", "/s/b"]);
    expect([...document.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["cranes", "Cranes"]);
    expect(document.querySelector("b")).toBeNull();
    expect(location.search).toBe("?q=crane");

    await user.keyboard("{ArrowDown}{ArrowDown}");
    expect(document.activeElement).toBe(links[1]);
    await user.keyboard("{Escape}");
    await screen.findByText("Session a");
    expect(document.activeElement).toBe(screen.getByRole("searchbox"));
    expect(location.search).toBe("");
  });

  it("says where nothing is found, and what was wrong with the words", async () => {
    have(summary("a"));
    answer("zebra", []);
    const user = userEvent.setup();
    render(<SessionsPage config={config} />);
    const field = await screen.findByRole("searchbox");
    await user.type(field, "zebra");
    await screen.findByText("Nothing found");
    const refusal = { type: "error", code: "bad_request", message: "There is no word in `q`.", retryable: false };
    rest.answers.set("GET /v1/search?q=%3F%3F", { status: 400, body: refusal });
    await user.clear(field);
    await user.type(field, "??");
    await screen.findByText("There is no word in `q`.");
  });

  it("shows again what the address says", async () => {
    history.replaceState(null, "", "/?q=crane");
    have(summary("a"));
    answer("crane", found);
    render(<SessionsPage config={config} />);
    await screen.findByText("2 results");
    await waitFor(() => expect(screen.getByRole("searchbox")).toHaveProperty("value", "crane"));
  });

  it("cuts texts where the server counted: in code points, and without losing one", () => {
    expect(piecesOf("🦩 cranes", [[2, 8]])).toEqual([
      { text: "🦩 ", marked: false },
      { text: "cranes", marked: true },
    ]);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 5 }),
        (text, marks) => {
          const pieces = piecesOf(text, marks);
          expect(pieces.map((piece) => piece.text).join("")).toBe(text);
        },
      ),
    );
  });
});

describe("addresses and times", () => {
  it("reads the page from the path", () => {
    expect(pageAt("/")).toEqual({ name: "sessions" });
    expect(pageAt("/s/my-plans")).toEqual({ name: "session", session: "my-plans" });
    expect(sessionPath({ id: "x", slug: null })).toBe("/s/x");
    expect(messageAt("#m-12")).toBe(12);
    expect(messageAt(new URL(messagePath({ id: "x", slug: "y" }, 3), "http://a").hash)).toBe(3);
    for (const hash of ["", "#m-", "#m-0", "#m-1x", "#ended"]) expect(messageAt(hash)).toBeNull();
  });

  it("says times as people do", () => {
    const now = Date.parse("2026-11-23T15:00:00Z");
    const ago = (seconds: number) => relativeTime(new Date(now - seconds * 1000).toISOString(), now);
    expect([ago(5), ago(120), ago(7200), ago(90_000)]).toEqual([
      "just now",
      "2 minutes ago",
      "2 hours ago",
      "yesterday",
    ]);
    expect(ago(30 * 86_400)).toBe("Oct 24, 2026");
  });
});
