/** What the connection needs from the outside, in one place, so that the core itself does no I/O. */

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
  openSocket(url: string): SocketLike;
  now(): number;
  /** In [0, 1). */
  random(): number;
  setTimer(callback: () => void, ms: number): Timer;
  clearTimer(timer: Timer): void;
  /** Calls back when the network may have returned or the page is looked at again; the result stops that. */
  onWake(callback: () => void): () => void;
}

type SocketClass = new (url: string) => SocketLike;

/** The environment of a browser, or of a runtime with a global WebSocket; `WebSocket` overrides the global one. */
export function defaultEnvironment(WebSocketClass?: SocketClass): Environment {
  return {
    openSocket(url) {
      const Socket = WebSocketClass ?? (globalThis as { WebSocket?: SocketClass }).WebSocket;
      if (!Socket) {
        throw new Error(
          "This runtime has no WebSocket. Pass one: new HanzoLiveClient({ WebSocket }) (for example from 'ws').",
        );
      }
      return new Socket(url);
    },
    now: () => Date.now(),
    random: () => Math.random(),
    setTimer: (callback, ms) => setTimeout(callback, ms),
    clearTimer: (timer) => clearTimeout(timer),
    onWake(callback) {
      if (typeof window === "undefined" || typeof document === "undefined") return () => undefined;
      const onVisible = () => {
        if (document.visibilityState === "visible") callback();
      };
      window.addEventListener("online", callback);
      document.addEventListener("visibilitychange", onVisible);
      return () => {
        window.removeEventListener("online", callback);
        document.removeEventListener("visibilitychange", onVisible);
      };
    },
  };
}
