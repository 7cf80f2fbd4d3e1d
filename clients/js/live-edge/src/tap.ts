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
  private early: (string | Record<string, unknown>)[] | null = [];
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

  get isOpen(): boolean {
    return this.socket !== null;
  }

  /** One that waits is sent as it is by then. */
  send(order: Record<string, unknown>): void {
    if (this.socket) this.socket.send(JSON.stringify(order));
    else this.early?.push(order);
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
    for (const each of this.early ?? []) socket.send(typeof each === "string" ? each : JSON.stringify(each));
    this.early = null;
  }

  private lost(): void {
    if (this.closed) return;
    this.closed = true;
    this.listener.lost();
  }
}
