import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useToolStream, type ClientTool } from "../src";
import { complete, start, token } from "../../live-client/test/support";
import { withServer } from "./support/asking";
import { call, result as resultOf } from "./support/entries";

const asked = withServer();

function withTools(tools: ClientTool[]) {
  return renderHook(() => useToolStream({ model: "gpt-4", tools }), { wrapper: asked.wrapper });
}

/** Asks, and publishes a call of `search_web` that waits for a client. */
async function ask(hook: ReturnType<typeof withTools>): Promise<void> {
  const { server } = asked;
  act(() => void hook.result.current.sendMessage("Find rivers"));
  await server.until(() => server.count("stream.start") === 1);
  server.publish("stream:s1", start("s1"), call("s1"));
}

const answered = () => asked.server.received.find(({ type }) => type === "tool.result");

describe("useToolStream", () => {
  it("offers tools with their parameters as JSON Schema", async () => {
    const { server } = asked;
    const schema = { type: "object", properties: { id: { type: "integer" } } };
    const hook = withTools([
      { name: "search_web", description: "Search the web", parameters: { query: "string" } },
      { name: "open_page", parameters: schema },
    ]);
    act(() => void hook.result.current.start("Find rivers"));
    await server.until(() => server.count("stream.start") === 1);
    const parameters = { type: "object", properties: { query: { type: "string" } }, required: ["query"] };
    expect(server.received.at(-1)?.["tools"]).toEqual([
      { name: "search_web", description: "Search the web", parameters },
      { name: "open_page", parameters: schema },
    ]);
  });

  it("runs a tool of the page, once, and shows what it gave", async () => {
    const { server } = asked;
    const ran: unknown[] = [];
    let finish: (found: object) => void = () => undefined;
    const execute = (args: object) => {
      ran.push(args);
      return new Promise((resolve) => (finish = resolve));
    };
    const hook = withTools([{ name: "search_web", execute }]);
    await ask(hook);
    await waitFor(() => expect(hook.result.current.isExecuting).toBe(true));
    expect(hook.result.current.toolCalls).toEqual([
      { id: "c1", name: "search_web", arguments: { query: "rivers" }, status: "running" },
    ]);
    await waitFor(() => expect(ran).toEqual([{ query: "rivers" }]));
    finish({ found: 2 });
    await server.until(() => answered() !== undefined);
    expect(answered()).toMatchObject({ stream: "s1", call: "c1", output: { found: 2 } });
    server.publish("stream:s1", resultOf("s1", { result: { found: 2 } }), token("s1", "Two."), complete("s1"));
    await waitFor(() => expect(hook.result.current.isStreaming).toBe(false));
    expect(hook.result.current.toolCalls[0]?.status).toBe("complete");
    expect(hook.result.current.toolResults).toEqual([
      { id: "c1", name: "search_web", output: '{"found":2}', value: { found: 2 }, error: null },
    ]);
    expect(hook.result.current).toMatchObject({ isExecuting: false, error: null });
    expect(hook.result.current.messages.map(({ content }) => content)).toEqual(["Find rivers", "Two."]);
    expect(ran).toHaveLength(1);
  });

  it("tells the model what a tool throws", async () => {
    const execute = () => Promise.reject(new Error("The web is closed."));
    await ask(withTools([{ name: "search_web", execute }]));
    await asked.server.until(() => answered() !== undefined);
    expect(answered()).toMatchObject({ call: "c1", error: "The web is closed." });
  });

  it("fails a call visibly that nothing runs", async () => {
    const { server } = asked;
    const hook = withTools([{ name: "search_web" }]);
    await ask(hook);
    await server.until(() => answered() !== undefined);
    const error = answered()?.["error"] as string;
    expect(error).toContain("Nothing runs the tool search_web");
    server.publish("stream:s1", resultOf("s1", { error }));
    await waitFor(() => expect(hook.result.current.toolCalls[0]?.status).toBe("failed"));
    expect(hook.result.current.toolResults[0]).toMatchObject({ output: "", error });
  });

  it("leaves to the server what runs there", async () => {
    const { server } = asked;
    const hook = withTools([{ name: "search_web", execute: () => "here" }]);
    act(() => void hook.result.current.start("Find rivers"));
    await server.until(() => server.count("stream.start") === 1);
    const there = call("s1", { status: "running" });
    server.publish("stream:s1", start("s1"), there, resultOf("s1", { result: "there" }), complete("s1"));
    await waitFor(() => expect(hook.result.current.isStreaming).toBe(false));
    expect(hook.result.current.toolResults[0]?.output).toBe("there");
    expect(answered()).toBeUndefined();
  });

  it("shows a result that came while the connection was away", async () => {
    const { server } = asked;
    const hook = withTools([{ name: "search_web" }]);
    act(() => void hook.result.current.start("Find rivers"));
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), call("s1", { status: "running" }));
    await waitFor(() => expect(hook.result.current.isExecuting).toBe(true));
    server.cut();
    // What is no longer to be replayed comes as a snapshot.
    server.log("stream:s1").epoch = "e2";
    server.log("stream:s1").append(resultOf("s1", { result: "there" }));
    await waitFor(() => expect(hook.result.current.toolResults[0]?.output).toBe("there"));
    expect(hook.result.current).toMatchObject({ isExecuting: false, isStreaming: true });
    server.publish("stream:s1", complete("s1"));
    await waitFor(() => expect(hook.result.current.isStreaming).toBe(false));
    expect(hook.result.current.toolResults).toHaveLength(1);
  });

  it("takes it in good part that another page answered first, and shows any other refusal", async () => {
    const { server } = asked;
    const refuse = (code: string) =>
      server.handlers.set("tool.result", ({ id }, peer) =>
        peer.send({ type: "error", id, code, message: `No: ${code}.`, retryable: false }),
      );
    refuse("conflict");
    const hook = withTools([{ name: "search_web", execute: () => 1 }]);
    await ask(hook);
    await server.until(() => server.count("tool.result") === 1);
    refuse("forbidden");
    server.publish("stream:s1", call("s1", { call: "c2" }));
    await waitFor(() => expect(hook.result.current.error?.message).toBe("No: forbidden."));
  });

  it("aborts what runs when the answer is stopped, and answers nothing then", async () => {
    const { server } = asked;
    const signals: AbortSignal[] = [];
    const execute: ClientTool["execute"] = (_args, { signal }) => {
      signals.push(signal);
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")));
    };
    const hook = withTools([{ name: "search_web", execute }]);
    await ask(hook);
    await waitFor(() => expect(signals).toHaveLength(1));
    await act(() => hook.result.current.stop());
    server.publish("stream:s1", complete("s1", "stopped"));
    await waitFor(() => expect(signals[0]?.aborted).toBe(true));
    expect(hook.result.current.isExecuting).toBe(false);
    expect(answered()).toBeUndefined();
  });

  it("approves a call that waits for it", async () => {
    const { server } = asked;
    const hook = withTools([{ name: "search_web" }]);
    act(() => void hook.result.current.start("Find rivers"));
    await server.until(() => server.count("stream.start") === 1);
    server.publish("stream:s1", start("s1"), call("s1", { status: "awaiting_approval" }));
    await waitFor(() => expect(hook.result.current.toolCalls[0]?.status).toBe("awaiting_approval"));
    await act(() => hook.result.current.approve("c1", true));
    expect(server.received.at(-1)).toMatchObject({
      type: "tool.approve",
      stream: "s1",
      call: "c1",
      approved: true,
    });
  });
});
