/** Where React renders in ways of its own: on a server, in Strict Mode, under Suspense. */

import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { lazy, StrictMode, version, Suspense, useEffect, type ReactElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import {
  HanzoLiveProvider,
  useCollaborativeSession,
  useConnection,
  useHanzoLive,
  useLatestAnswer,
  usePresence,
  useSharedDraft,
  useStreamingCompletion,
  useStreamingProgress,
  useThoughtStream,
  useToolStream,
} from "../src";
import { complete, start, token } from "../../live-client/test/support";
import { withServer } from "./support/asking";

const asked = withServer();

function Everything(): ReactElement {
  const session = useCollaborativeSession({ sessionId: "p" });
  const { people } = usePresence(session.store);
  const { text } = useSharedDraft(session.store);
  const { messages } = useHanzoLive();
  const { content } = useStreamingCompletion();
  const { thoughts } = useThoughtStream();
  const { toolCalls } = useToolStream({ tools: [] });
  const { progress } = useStreamingProgress();
  const counts = [session.messages, people, messages, thoughts, toolCalls].map(({ length }) => length);
  return (
    <p>
      {[...counts, progress, text, content, useLatestAnswer().content, useConnection().status].join(",")}
    </p>
  );
}

it("runs on the React that is asked for", () => {
  expect(version.split(".")[0]).toBe(process.env["REACT"] ?? "19");
});

describe("on a server", () => {
  it("renders every hook without opening anything, with a provider and without", () => {
    const socket = vi.fn();
    vi.stubGlobal("WebSocket", socket);
    const expected = "<p>0,0,0,0,0,0,,,,idle</p>";
    expect(renderToString(<Everything />)).toBe(expected);
    const page = (
      <HanzoLiveProvider url="ws://localhost:1">
        <Everything />
      </HanzoLiveProvider>
    );
    expect(renderToString(page)).toBe(expected);
    expect(socket).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });

  it("gives what the browser takes over as it is", async () => {
    const { wrapper: Wrapper } = asked;
    const page = (
      <Wrapper>
        <Everything />
      </Wrapper>
    );
    const place = document.createElement("div");
    place.innerHTML = renderToString(page);
    const complaints = vi.spyOn(console, "error");
    let root: ReturnType<typeof hydrateRoot> | undefined;
    act(() => {
      root = hydrateRoot(place, page);
    });
    await waitFor(() => expect(place.textContent).toContain("live"));
    expect(complaints).not.toHaveBeenCalled();
    act(() => root?.unmount());
    complaints.mockRestore();
  });
});

describe("in Strict Mode", () => {
  it("asks once, though effects run twice", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(
      () => {
        const live = useStreamingCompletion();
        const { start: ask } = live;
        useEffect(() => void ask("Hi"), [ask]);
        return live;
      },
      { wrapper },
    );
    // What the first effect asked for was never sent: its provider went with it.
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "Hello"), complete("s1"));
    await waitFor(() => expect(result.current.content).toBe("Hello"));
    expect(server.count("stream.start")).toBe(1);
  });
});

describe("under Suspense", () => {
  it("shows the answer when what it waited for has come, over one socket", async () => {
    const { server, wrapper: Wrapper } = asked;
    let arrive: (module: { default: () => ReactElement }) => void = () => undefined;
    const Late = lazy(() => new Promise<{ default: () => ReactElement }>((resolve) => (arrive = resolve)));
    function Chat(): ReactElement {
      const { content, start: ask } = useStreamingCompletion();
      return <button onClick={() => void ask("Hi")}>{content || "Ask"}</button>;
    }
    render(
      <StrictMode>
        <Wrapper>
          <Suspense fallback="Loading">
            <Chat />
            <Late />
          </Suspense>
        </Wrapper>
      </StrictMode>,
    );
    expect(screen.getByText("Loading")).toBeTruthy();
    await act(async () => {
      arrive({ default: () => <i>Here</i> });
      await Promise.resolve();
    });
    const button = await screen.findByText("Ask");
    act(() => button.click());
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "Hello"));
    await screen.findByText("Hello");
    expect(server.peers.size).toBe(1);
  });
});
