/** What the connection needs from the outside, in one place, so that the core itself does no I/O. */

import { socketClassOfNode } from "./node-socket";

/** The part of a WebSocket that is used: the browser's, Node 22's and `ws`'s all have it. */
export interface SocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

export type Timer = ReturnType<typeof setTimeout>;

export interface Environment {
  openSocket(url: string): SocketLike | Promise<SocketLike>;
  now(): number;
  /** In [0, 1). */
  random(): number;
  setTimer(callback: () => void, ms: number): Timer;
  clearTimer(timer: Timer): void;
  /** Tells what the device notices of its network and its user; the result stops that. */
  onSign(callback: (sign: Sign) => void): () => void;
}

/**
 * `online` and `offline`: the network is said to be there again, or gone. It is a hint: a server on the same machine
 * can be reached without any network. `visible`: the page is looked at again, maybe after the machine slept.
 * `changed`: another network is used. `leaving`: the page goes; `returned`: it came back as it was, from the browser's cache of pages.
 */
export type Sign = "online" | "offline" | "visible" | "changed" | "leaving" | "returned";

export type SocketClass = new (url: string) => SocketLike;

/** The environment of a browser, or of a runtime with a global WebSocket; `WebSocket` overrides the global one. */
export function defaultEnvironment(WebSocketClass?: SocketClass): Environment {
  return {
    openSocket(url) {
      const Socket = WebSocketClass ?? (globalThis as { WebSocket?: SocketClass }).WebSocket;
      return Socket ? new Socket(url) : socketClassOfNode().then((FromPackage) => new FromPackage(url));
    },
    now: () => Date.now(),
    random: () => Math.random(),
    setTimer: (callback, ms) => setTimeout(callback, ms),
    clearTimer: (timer) => clearTimeout(timer),
    onSign(callback) {
      if (typeof window === "undefined" || typeof document === "undefined") return () => undefined;
      const listening = new AbortController();
      const { signal } = listening;
      const on = (target: EventTarget | undefined, event: string, heard: (event: Event) => void) =>
        target?.addEventListener(event, heard, { signal });
      const onVisible = () => {
        if (document.visibilityState === "visible") callback("visible");
      };
      on(window, "online", () => callback("online"));
      on(window, "offline", () => callback("offline"));
      on(window, "pagehide", () => callback("leaving"));
      on(window, "pageshow", (event) => {
        if ((event as PageTransitionEvent).persisted) callback("returned");
      });
      on(document, "visibilitychange", onVisible);
      // Where browsers freeze pages and tell of their networks.
      on(document, "resume", onVisible);
      on((navigator as { connection?: EventTarget }).connection, "change", () => callback("changed"));
      return () => listening.abort();
    },
  };
}
