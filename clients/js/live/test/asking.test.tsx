import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import {
  useHanzoLive,
  useLatestAnswer,
  useStreamingCompletion,
  useStreamingProgress,
  useThoughtStream,
} from "../src";
import { complete, start, token } from "../../live-client/test/support";
import { withServer } from "./support/asking";
import { failure, thought } from "./support/entries";

const asked = withServer();
const started = (count = 1) => asked.server.until(() => asked.server.count("stream.start") === count);

describe("useThoughtStream", () => {
  it("gives the thoughts by step, then the answer", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(() => useThoughtStream({ model: "qwen-2-7b", showThoughts: true }), { wrapper });
    expect(result.current).toMatchObject({ thoughts: [], answer: "", isThinking: false });
    act(() => void result.current.start("Why?"));
    await started();
    expect(server.received.at(-1)).toMatchObject({ model: "qwen-2-7b", show_thoughts: true, content: "Why?" });
    server.publish("stream:s1", start("s1"), thought("s1", 0, "First, "), thought("s1", 0, "this."));
    await waitFor(() => expect(result.current).toMatchObject({ thoughts: ["First, this."], isThinking: true }));
    server.publish("stream:s1", thought("s1", 1, "Then that."), token("s1", "Because."));
    await waitFor(() => expect(result.current.answer).toBe("Because."));
    expect(result.current).toMatchObject({ thoughts: ["First, this.", "Then that."], isThinking: false });
    server.publish("stream:s1", complete("s1"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
  });

  it("asks for the answer alone where thoughts are not shown", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(() => useThoughtStream({ showThoughts: false }), { wrapper });
    act(() => void result.current.start("Why?"));
    await started();
    expect(server.received.at(-1)).toMatchObject({ show_thoughts: false });
  });
});

describe("useStreamingProgress", () => {
  it("counts from 0, says when it cannot tell how far it is, and ends at 100", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(() => useStreamingProgress({ maxTokens: 1000 }), { wrapper });
    const nothing = { progress: 0, estimatedTime: 0, tokensGenerated: 0, totalTokens: 1000, indeterminate: true };
    expect(result.current).toMatchObject(nothing);
    act(() => void result.current.start("A long story"));
    await started();
    expect(server.received.at(-1)).toMatchObject({ max_tokens: 1000 });
    server.publish("stream:s1", start("s1"));
    for (const peer of server.peers) {
      const progress = { type: "progress", log: "stream:s1", stream: "s1", tokens: 50, phase: "answering" };
      peer.send({ ...progress, total: 200, percent: 25, eta_s: 12, tokens_per_second: 10, queue_position: null });
    }
    server.publish("stream:s1", token("s1", "Once"));
    await waitFor(() => expect(result.current.progress).toBe(25));
    expect(result.current).toMatchObject({
      estimatedTime: 12,
      tokensGenerated: 51,
      totalTokens: 200,
      indeterminate: false,
      content: "Once",
    });
    server.publish("stream:s1", complete("s1"));
    await waitFor(() => expect(result.current.progress).toBe(100));
    expect(result.current).toMatchObject({ estimatedTime: 0, tokensGenerated: 3, totalTokens: 3 });
  });
});

describe("every hook that asks", () => {
  it.each([
    ["useStreamingCompletion", useStreamingCompletion],
    ["useThoughtStream", useThoughtStream],
    ["useStreamingProgress", useStreamingProgress],
    ["useHanzoLive", useHanzoLive],
  ])("%s shows why an answer failed, and asks again", async (_name, use) => {
    const { server, wrapper } = asked;
    const { result } = renderHook(() => use(), { wrapper });
    act(() => void result.current.start("Hi"));
    await started();
    server.publish("stream:s1", start("s1"), failure("s1"));
    await waitFor(() => expect(result.current.error?.code).toBe("NODE_ERROR"));
    expect(result.current.isStreaming).toBe(false);
    act(() => void result.current.retry());
    expect(result.current).toMatchObject({ error: null, isStreaming: true });
    await started(2);
    server.publish("stream:s2", start("s2"), token("s2", "Hello"), complete("s2"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    expect(result.current.error).toBeNull();
  });

  it("shows why an answer could not begin", async () => {
    const { server, wrapper } = asked;
    server.handlers.set("stream.start", ({ id }, peer) =>
      peer.send({ type: "error", id, code: "busy", message: "Try again in a minute.", retryable: true }),
    );
    const { result } = renderHook(() => useStreamingCompletion(), { wrapper });
    await act(() => result.current.start("Hi"));
    expect(result.current.error).toMatchObject({ code: "BUSY", message: "Try again in a minute." });
    expect(result.current.isStreaming).toBe(false);
  });

  it("stops the answer on the server", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(() => useStreamingCompletion(), { wrapper });
    act(() => void result.current.start("Hi"));
    await started();
    server.publish("stream:s1", start("s1"), token("s1", "x"));
    await waitFor(() => expect(result.current.content).toBe("x"));
    await act(() => result.current.stop());
    expect(server.received.at(-1)).toMatchObject({ type: "stream.stop", stream: "s1" });
    server.publish("stream:s1", complete("s1", "stopped"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    expect(result.current.content).toBe("x");
  });

  it("shows nothing of the last answer once the next question is asked", async () => {
    const { server, wrapper } = asked;
    const seen: string[] = [];
    const { result } = renderHook(
      () => {
        const live = useHanzoLive();
        seen.push(live.messages.map(({ content }) => content).join("|"));
        return live;
      },
      { wrapper },
    );
    act(() => void result.current.start("One"));
    await started();
    server.publish("stream:s1", start("s1"), token("s1", "First."), complete("s1"));
    await waitFor(() => expect(result.current.isStreaming).toBe(false));
    act(() => void result.current.start("Two"));
    await started(2);
    server.publish("stream:s2", start("s2"), token("s2", "Second."), complete("s2"));
    await waitFor(() => expect(result.current.messages.at(-1)?.content).toBe("Second."));
    expect(seen).not.toContain("One|First.|Two|First.");
    expect(result.current.messages.at(-1)?.stream?.status).toBe("complete");
  });
});

describe("useLatestAnswer", () => {
  it("gives the answer that any hook under the provider asked for last", async () => {
    const { server, wrapper } = asked;
    const { result } = renderHook(
      () => ({ first: useHanzoLive(), second: useStreamingCompletion(), latest: useLatestAnswer() }),
      { wrapper },
    );
    act(() => void result.current.first.start("One"));
    await started();
    server.publish("stream:s1", start("s1"), token("s1", "First."), complete("s1"));
    await waitFor(() => expect(result.current.latest.content).toBe("First."));
    act(() => void result.current.second.start("Two"));
    await started(2);
    server.publish("stream:s2", start("s2"), token("s2", "Second."));
    await waitFor(() => expect(result.current.latest).toMatchObject({ content: "Second.", isStreaming: true }));
  });
});
