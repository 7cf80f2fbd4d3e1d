import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionSummary } from "../src/api/resources";
import { pageAt, sessionPath } from "../src/routes";
import { SessionsPage } from "../src/sessions/SessionsPage";
import { relativeTime } from "../src/ui/relative-time";
import { config, TestRest } from "./support";

let rest: TestRest;

beforeEach(async () => {
  rest = await TestRest.start();
});

afterEach(() => rest.stop());

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
    expect(screen.getByRole("button", { name: "Create session" })).toHaveProperty("disabled", true);
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

describe("addresses and times", () => {
  it("reads the page from the path", () => {
    expect(pageAt("/")).toEqual({ name: "sessions" });
    expect(pageAt("/s/my-plans")).toEqual({ name: "session", session: "my-plans" });
    expect(sessionPath({ id: "x", slug: null })).toBe("/s/x");
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
