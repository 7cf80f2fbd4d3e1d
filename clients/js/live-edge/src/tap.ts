/** A viewer's way into the object of one log. What is sent before it is open waits. */

import type { WorkerSocket } from "./workers";

/** Begins what is for the edge and not for the viewer. */
export const ORDER = "!";

export interface TapListener {
  /** For the viewer, as it is. */
  frame(text: string): void;
  order(order: Record<string, unknown>): void;
  /** The object is gone, or cannot be reached. */
  lost(): void;
}

export class Tap {
  private socket: WorkerSocket | null = null;
  private early: string[] | null = [];
  private closed = false;

  constructor(opening: Promise<WorkerSocket>, private readonly listener: TapListener) {
    opening.then(
      (socket) => this.opened(socket),
      (reason: unknown) => {
        console.error("The object of a log cannot be reached:", reason);
        this.lost();
      },
    );
  }

  send(order: Record<string, unknown>): void {
    this.pass(JSON.stringify(order));
  }

  /** An event of the log, for the object. */
  pass(text: string): void {
    if (this.socket) this.socket.send(text);
    else this.early?.push(text);
  }

  close(): void {
    this.closed = true;
    this.early = null;
    this.socket?.close(1000);
  }

  private opened(socket: WorkerSocket): void {
    socket.accept();
    if (this.closed) {
      socket.close(1000);
      return;
    }
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (this.closed || typeof data !== "string") return;
      if (data.startsWith(ORDER)) this.listener.order(JSON.parse(data.slice(1)) as Record<string, unknown>);
      else this.listener.frame(data);
    });
    socket.addEventListener("close", () => this.lost());
    socket.addEventListener("error", () => this.lost());
    for (const text of this.early ?? []) socket.send(text);
    this.early = null;
  }

  private lost(): void {
    if (this.closed) return;
    this.closed = true;
    this.listener.lost();
  }
}
