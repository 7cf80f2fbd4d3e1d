import { HanzoLiveProvider } from "@hanzo/live";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode, type ReactElement } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { AIChat, StreamingText, type AIChatProps } from "../src";
import { complete, start, TestServer, token } from "../../live-client/test/support";
import { call, failure, result, thought } from "../../live/test/support/entries";

let server: TestServer;

beforeEach(async () => {
  server = await TestServer.start();
});

afterEach(() => server.stop());

function App({ onToken, ...chat }: AIChatProps & { onToken?: (token: string) => void }): ReactElement {
  return (
    <StrictMode>
      <HanzoLiveProvider url={server.url} WebSocket={WebSocket} reconnect={{ delayMs: 5 }}>
        <AIChat {...chat} />
        <div data-testid="beside">
          <StreamingText source="hanzo-live" onToken={onToken} />
        </div>
      </HanzoLiveProvider>
    </StrictMode>
  );
}

async function ask(text: string, count = 1): Promise<void> {
  await userEvent.type(screen.getByRole("textbox", { name: "Message" }), `${text}{Enter}`);
  await server.until(() => server.count("stream.start") === count);
}

const answer = () => screen.getByRole("article", { name: "Answer" });

describe("AIChat", () => {
  it("shows what is asked, thought, called and answered, as it is written", async () => {
    render(<App streaming showThoughts enableTools />);
    await ask("Why?");
    expect(server.received.at(-1)).toMatchObject({ show_thoughts: true, tools: "auto" });
    expect(screen.getByRole("article", { name: "You said" }).textContent).toBe("Why?");
    expect(answer().getAttribute("aria-busy")).toBe("true");
    server.publish("stream:s1", start("s1"), thought("s1", 0, "Let me see."));
    await screen.findByText("Let me see.");
    expect(screen.getByRole("button", { name: "Thinking" }).getAttribute("aria-expanded")).toBe("true");
    server.publish("stream:s1", call("s1", { status: "running" }), result("s1", { result: "42 hits" }));
    await screen.findByText("42 hits");
    server.publish("stream:s1", token("s1", "**Be"), token("s1", "cause**"));
    await waitFor(() => expect(answer().querySelector("strong")?.textContent).toBe("Because"));
    server.publish("stream:s1", complete("s1"));
    await waitFor(() => expect(answer().getAttribute("aria-busy")).toBe("false"));
    expect(screen.queryByText("Let me see.")).toBeNull();
  });

  it("asks for neither thoughts nor tools where they are not wanted", async () => {
    render(<App />);
    await ask("Hi");
    expect(server.received.at(-1)).toMatchObject({ show_thoughts: false });
    expect(server.received.at(-1)).not.toHaveProperty("tools");
  });

  it("shows an answer once it is whole where it shall not stream", async () => {
    render(<App streaming={false} />);
    await ask("Hi");
    server.publish("stream:s1", start("s1"), token("s1", "Hello"));
    await waitFor(() => expect(screen.getByTestId("beside").textContent).toBe("Hello"));
    expect(answer().textContent).toBe("Writing");
    server.publish("stream:s1", complete("s1"));
    await waitFor(() => expect(answer().textContent).toBe("Hello"));
  });

  it("approves a call that waits for it", async () => {
    render(<App enableTools />);
    await ask("Delete it");
    server.publish("stream:s1", start("s1"), call("s1", { status: "awaiting_approval" }));
    await userEvent.click(await screen.findByRole("button", { name: "Approve" }));
    await server.until(() => server.count("tool.approve") === 1);
    expect(server.received.at(-1)).toMatchObject({ stream: "s1", call: "c1", approved: true });
  });

  it("stops, fails in words, and tries again", async () => {
    render(<App />);
    await ask("Hi");
    server.publish("stream:s1", start("s1"), token("s1", "Hel"));
    await waitFor(() => expect(answer().textContent).toBe("Hel"));
    await userEvent.click(screen.getByRole("button", { name: "Stop" }));
    await server.until(() => server.count("stream.stop") === 1);
    server.publish("stream:s1", failure("s1"));
    const retry = await screen.findByRole("button", { name: "Retry" });
    expect(screen.getByRole("alert").textContent).toContain("The model's server failed.");
    await userEvent.click(retry);
    await server.until(() => server.count("stream.start") === 2);
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });
});

describe("StreamingText", () => {
  it("shows the provider's latest answer, and tells what is added", async () => {
    const told: string[] = [];
    const onToken = (text: string) => told.push(text);
    render(<App onToken={onToken} />);
    await ask("One");
    server.publish("stream:s1", start("s1"), token("s1", "First"), token("s1", " answer"));
    await waitFor(() => expect(screen.getByTestId("beside").textContent).toBe("First answer"));
    server.publish("stream:s1", complete("s1"));
    await ask("Two", 2);
    server.publish("stream:s2", start("s2"), token("s2", "Second"));
    await waitFor(() => expect(screen.getByTestId("beside").textContent).toBe("Second"));
    expect(told.join("")).toBe("First answerSecond");
  });

  it("shows a text of one's own", () => {
    const { container, rerender } = render(<StreamingText text="*Hel" isStreaming />);
    const busy = () => container.querySelector("[aria-live]")?.getAttribute("aria-busy");
    expect(busy()).toBe("true");
    rerender(<StreamingText text="*Hello*" />);
    expect(container.querySelector("em")?.textContent).toBe("Hello");
    expect(busy()).toBe("false");
  });
});
