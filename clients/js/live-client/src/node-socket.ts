/** The WebSocket of the package `ws`, for Node before 22, which has none of its own. */

import type { SocketClass } from "./environment";
import { LiveError } from "./errors";

/** Rejects with a LiveError `NO_WEBSOCKET` that says what to install. */
export async function socketClassOfNode(): Promise<SocketClass> {
  try {
    return (await load("ws")).WebSocket;
  } catch (cause) {
    const message =
      "This runtime has no WebSocket. Install the package `ws` (npm install ws), use Node 22 or later, " +
      "or pass a class: new HanzoLiveClient({ WebSocket }).";
    throw new LiveError("NO_WEBSOCKET", message, { cause });
  }
}

/** The name comes as an argument so that bundlers of pages do not look for the package. */
async function load(name: string): Promise<{ WebSocket: SocketClass }> {
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { WebSocket: SocketClass };
}
