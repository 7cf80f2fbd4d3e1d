/** What a client does about each close code, and what it tells the person. */

import { LiveError, type LiveErrorCode } from "./errors";
import { CLOSE_KINDS, CloseCode } from "./protocol.generated";

const MESSAGES: Record<CloseCode, string> = {
  [CloseCode.FRAME_TOO_LARGE]: "A frame was larger than the server allows. Send less at once.",
  [CloseCode.RESTART]: "The server restarts.",
  [CloseCode.MALFORMED]: "The server did not understand this client. Update it.",
  [CloseCode.UNAUTHENTICATED]: "You are signed out. Sign in again.",
  [CloseCode.FORBIDDEN]: "This page or account may not connect here.",
  [CloseCode.HELLO_TIMEOUT]: "The server waited in vain for a hello.",
  [CloseCode.TOO_SLOW]: "This connection was too slow for its events.",
  [CloseCode.RATE_LIMITED]: "Too many connections. Waiting before trying again.",
  [CloseCode.SERVER_FULL]: "The server is full. Waiting before trying again.",
};

/** What a close code says, or what the server `said` before it, and whether trying again by itself makes sense. */
export function closing(code: number, said: LiveError | null): { error: LiveError; reconnect: boolean } {
  if (!isKnown(code)) {
    const lost = new LiveError("DISCONNECTED", "The connection was lost. Check the network.", {
      retryable: true,
    });
    return { error: said ?? lost, reconnect: true };
  }
  const { reconnect, error } = CLOSE_KINDS[code];
  const name = (error?.toUpperCase() ?? "DISCONNECTED") as LiveErrorCode;
  return { error: said ?? new LiveError(name, MESSAGES[code], { retryable: reconnect }), reconnect };
}

function isKnown(code: number): code is CloseCode {
  return code in CLOSE_KINDS;
}
