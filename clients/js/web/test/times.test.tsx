import { HanzoLiveProvider } from "@hanzo/live";
import { clockTime, dayText, fullTime } from "@hanzo/live-ui";
import { render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { TestServer } from "../../live-client/test/support";
import { SessionPage } from "../src/session/SessionPage";
import { ada, config, message, openSession, TestRest } from "./support";

/** In the reader's zone, whichever that is. */
const at = (year: number, month: number, day: number, hour = 12, minute = 0) =>
  new Date(year, month - 1, day, hour, minute).toISOString();
const NOON = Date.parse(at(2026, 11, 25));

describe("times of messages", () => {
  it("names days as people do, and by the calendar rather than by hours", () => {
    const days = [
      at(2026, 11, 25, 0, 0),
      at(2026, 11, 25, 23, 59),
      at(2026, 11, 24, 23, 59),
      at(2026, 11, 24, 0, 0),
      at(2026, 11, 23, 23, 59),
      at(2026, 1, 1),
      at(2025, 12, 31),
      at(2026, 11, 26, 0, 0),
    ];
    expect(days.map((day) => dayText(day, NOON))).toEqual([
      "Today",
      "Today",
      "Yesterday",
      "Yesterday",
      "Monday, November 23",
      "Thursday, January 1",
      "Wednesday, December 31, 2025",
      "Thursday, November 26",
    ]);
  });

  it("says the time of day in 24 hours, and all of it where asked", () => {
    expect([clockTime(at(2026, 11, 25, 0, 5)), clockTime(at(2026, 11, 25, 14, 5))]).toEqual(["00:05", "14:05"]);
    expect(fullTime(at(2026, 11, 20, 14, 5))).toBe("Friday, November 20, 2026 at 14:05");
    expect(fullTime(at(2026, 11, 20, 0, 5))).toBe("Friday, November 20, 2026 at 00:05");
  });
});

describe("days in a conversation", () => {
  let server: TestServer;
  let rest: TestRest;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    [server, rest] = await Promise.all([TestServer.start(), TestRest.start()]);
  });

  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all([server.stop(), rest.stop()]);
  });

  async function daysOf(...times: string[]): Promise<(string | null)[]> {
    const messages = times.map((created_at, index) => message(index + 1, { created_at }));
    openSession(server, [{ user: ada, role: "owner" }], messages);
    render(
      <HanzoLiveProvider url={server.url} WebSocket={WebSocket} reconnect={{ delayMs: 5 }}>
        <SessionPage session="p" config={config} />
      </HanzoLiveProvider>,
    );
    await screen.findByText("message 1");
    return screen.queryAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);
  }

  it("stand before the first message of each", async () => {
    const days = await daysOf(at(2025, 11, 25), at(2026, 11, 24, 9), at(2026, 11, 24, 10), at(2026, 11, 25, 9));
    expect(days).toEqual(["Tuesday, November 25, 2025", "Yesterday", "Today"]);
    expect(screen.getByTitle("Tuesday, November 25, 2025 at 12:00").textContent).toBe("12:00");
  });

  it("are not mentioned where all was said today", async () => {
    expect(await daysOf(at(2026, 11, 25, 0, 0), at(2026, 11, 25, 11))).toEqual([]);
  });
});
