/** What tests of hooks that ask share: the protocol's test server, and the provider around them, in Strict Mode. */

import { cleanup, configure } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { afterEach, beforeEach } from "vitest";
import { WebSocket } from "ws";
import { HanzoLiveProvider } from "../../src";
import { TestServer } from "../../../live-client/test/support";

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
