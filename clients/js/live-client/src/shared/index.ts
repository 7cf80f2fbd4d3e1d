/** One socket for all tabs of a browser: `new HanzoLiveClient({ WebSocket: SharedSocket })`. */

import type { SocketLike } from "../environment";
import { newKey } from "../key";
import { Tabs } from "./tabs";

const byUrl = new Map<string, Tabs>();

function tabsOf(url: string): Tabs | null {
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
  if (!locks || typeof BroadcastChannel === "undefined") return null;
  let tabs = byUrl.get(url);
  if (!tabs) byUrl.set(url, (tabs = new Tabs(url, WebSocket, locks)));
  return tabs;
}

/**
 * In place of `WebSocket`, for tabs of one person: they have one connection, and so one presence. Where the browser has no
 * `BroadcastChannel` or Web Locks, each tab has a socket of its own.
 */
export class SharedSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #id = newKey();
  readonly #tabs!: Tabs;

  constructor(url: string, tabs = tabsOf(url)) {
    if (!tabs) return new WebSocket(url) as unknown as SharedSocket;
    this.#tabs = tabs;
    tabs.open(this.#id, {
      // The first client of the leading tab may be told before it listens.
      opened: () => queueMicrotask(() => this.onopen?.({} as never)),
      received: (data) => this.onmessage?.({ data } as never),
      closed: (code) => this.onclose?.({ code } as never),
    });
  }

  send(data: string): void {
    this.#tabs.send(this.#id, data);
  }

  close(): void {
    this.#tabs.close(this.#id);
  }
}
