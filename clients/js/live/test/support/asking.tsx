/** What tests of hooks that ask share: the protocol's test server, and the provider around them, in Strict Mode. */

import { cleanup, configure } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { afterEach, beforeEach } from "vitest";
import { WebSocket } from "ws";
import { HanzoLiveProvider } from "../../src";
import { TestServer, type Entry } from "../../../live-client/test/support";

// The limit is only for what never comes, on a busy machine too.
configure({ asyncUtilTimeout: 8000 });

export interface Asked {
  server: TestServer;
  wrapper: (props: { children: ReactNode }) => ReactNode;
}

/** A server of its own for each test of the file. */
export function withServer(): Asked {
  const asked = {} as Asked;
  beforeEach(async () => {
    asked.server = await TestServer.start();
  });
  afterEach(async () => {
    cleanup();
    await asked.server.stop();
  });
  asked.wrapper = ({ children }) => (
    <StrictMode>
      <HanzoLiveProvider url={asked.server.url} WebSocket={WebSocket} reconnect={{ delayMs: 5 }}>
        {children}
      </HanzoLiveProvider>
    </StrictMode>
  );
  return asked;
}

export const thought = (stream: string, step: number, data: string): Entry => ({
  type: "thought",
  stream,
  step,
  data,
  n: 1,
});

export const call = (stream: string, fields: Partial<Extract<Entry, { type: "tool_call" }>> = {}): Entry => ({
  type: "tool_call",
  stream,
  call: "c1",
  tool: "search_web",
  args: { query: "rivers" },
  status: "awaiting_client",
  ...fields,
});

export const result = (stream: string, fields: Partial<Extract<Entry, { type: "tool_result" }>>): Entry => ({
  type: "tool_result",
  stream,
  call: "c1",
  ...fields,
});

export const failure = (stream: string): Entry => ({
  type: "error",
  stream,
  code: "node_error",
  message: "The model's server failed. Ask again.",
  retryable: true,
  partial: false,
  usage: null,
});
