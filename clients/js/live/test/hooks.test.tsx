import { act, cleanup, configure, renderHook, waitFor } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { HanzoLiveProvider, useCollaborativeSession, useHanzoLive, useStreamingCompletion } from "../src";
import { complete, start, TestServer, token, type Entry } from "../../live-client/test/support";

// The limit is only for what never comes, on a busy machine too.
configure({ asyncUtilTimeout: 8000 });

let server: TestServer;

function wrapper({ children }: { children: ReactNode }) {
  return (
    <StrictMode>
      <HanzoLiveProvider url={server.url} WebSocket={WebSocket} reconnect={{ delayMs: 5 }}>
        {children}
      </HanzoLiveProvider>
    </StrictMode>
  );
}

beforeEach(async () => {
  server = await TestServer.start();
});

afterEach(async () => {
  cleanup();
  await server.stop();
});

describe("useStreamingCompletion", () => {
  it("gives the text as it grows, and calls back for each token and at the end", async () => {
    const onToken = vi.fn();
    const onComplete = vi.fn();
    const { result } = renderHook(
      () => useStreamingCompletion({ model: "script-fast", onToken, onComplete }),
      { wrapper },
    );
    act(() => void result.current.start("Hi"));
    await server.until(() => server.count("stream.start") === 1);
    expect(result.current.isStreaming).toBe(true);
    server.publish("stream:s1", start("s1"), token("s1", "Hel"));
    await waitFor(() => expect(result.current.content).toBe("Hel"));
    server.publish("stream:s1", token("s1", "lo"), complete("s1"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    expect(result.current).toMatchObject({ content: "Hello", tokensPerSecond: 30, error: null });
    expect(onToken.mock.calls).toEqual([["Hel"], ["lo"]]);
    expect(onComplete).toHaveBeenCalledExactlyOnceWith("Hello");
  });

  it("renders once a frame however fast tokens come", async () => {
    let renders = 0;
    const { result } = renderHook(
      () => {
        renders += 1;
        return useStreamingCompletion();
      },
      { wrapper },
    );
    act(() => void result.current.start("Hi"));
    await server.until(() => server.count("stream.start") === 1);
    const before = renders;
    server.publish(
      "stream:s1",
      start("s1"),
      ...Array.from({ length: 1000 }, () => token("s1", "x")),
      complete("s1"),
    );
    await waitFor(() => expect(result.current.content).toHaveLength(1000));
    // Strict Mode renders twice each time.
    expect(renders - before).toBeLessThan(60);
  });

  it("ends its answer when it is unmounted", async () => {
    const { result, unmount } = renderHook(() => useStreamingCompletion(), { wrapper });
    act(() => void result.current.start("Hi"));
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "x"));
    await waitFor(() => expect(result.current.content).toBe("x"));
    unmount();
    await server.until(() => server.peers.size === 0);
  });
});

describe("useHanzoLive", () => {
  it("keeps a conversation, and asks with all of it", async () => {
    const { result } = renderHook(() => useHanzoLive({ model: "script-fast" }), { wrapper });
    act(() => void result.current.sendMessage("One"));
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), token("s1", "First."), complete("s1"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    act(() => void result.current.sendMessage("Two"));
    await server.until(() => server.count("stream.start") === 2);
    const asked = server.received.findLast(({ type }) => type === "stream.start");
    expect(asked?.["messages"]).toEqual([
      { role: "user", content: "One" },
      { role: "assistant", content: "First." },
      { role: "user", content: "Two" },
    ]);
    server.publish("stream:s2", start("s2"), token("s2", "Second."), complete("s2"));
    await waitFor(() => expect(result.current.messages.at(-1)?.content).toBe("Second."));
    expect(result.current.messages).toHaveLength(4);
  });
});

describe("useCollaborativeSession", () => {
  it("shows what others ask and what is being written, sends, and stops", async () => {
    const { result } = renderHook(() => useCollaborativeSession({ sessionId: "p" }), { wrapper });
    await waitFor(() => expect(result.current.connection.status).toBe("live"));
    await act(() => result.current.sendMessage("Hello"));
    await waitFor(() => expect(result.current.messages).toHaveLength(1));
    const reply = {
      ...result.current.messages[0],
      id: "r",
      n: 2,
      role: "assistant",
      content: "",
      stream: "s",
      key: null,
    };
    server.publish(
      "session:p",
      { type: "message", message: { ...reply, status: "queued" } } as Entry,
      { ...start("s"), message: "r" } as Entry,
      token("s", "I am"),
    );
    await waitFor(() =>
      expect(result.current.messages[1]).toMatchObject({ content: "I am", isStreaming: true }),
    );
    await act(() => result.current.stop());
    expect(server.received.at(-1)).toMatchObject({ type: "stream.stop", stream: "s" });
    server.publish("session:p", complete("s", "stopped"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    expect(result.current.messages[1]).toMatchObject({
      content: "I am",
      status: "stopped",
      finish_reason: "stopped",
    });
  });

  it("warns when userId is not the signed-in user", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    renderHook(() => useCollaborativeSession({ sessionId: "p", userId: "somebody-else" }), { wrapper });
    await waitFor(() => expect(warn).toHaveBeenCalledWith(expect.stringContaining("somebody-else")));
    warn.mockRestore();
  });
});
