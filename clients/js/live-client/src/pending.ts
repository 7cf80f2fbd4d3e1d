/** Commands on their way: each has an id, and a promise that its reply settles. */

import type { LiveError } from "./errors";

export type Reply = Record<string, unknown>;

export interface Command {
  readonly id: number;
  readonly frame: Record<string, unknown>;
  /** Sent again after a reconnect: for commands that are safe to repeat (they carry a key, or repeat harmlessly). */
  readonly repeat: boolean;
  /** Asked before it is sent: false withdraws it. */
  readonly wanted?: (() => boolean) | undefined;
  /** Called synchronously with the reply, before any later frame is looked at. */
  readonly onOk?: ((reply: Reply) => void) | undefined;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: LiveError) => void;
  /** On the present connection. */
  sent: boolean;
}

export class PendingCommands {
  readonly #byId = new Map<number, Command>();
  #lastId = 0;

  nextId(): number {
    return ++this.#lastId;
  }

  add(command: Command): void {
    this.#byId.set(command.id, command);
  }

  /** Takes the command that `id` names out of those waiting; undefined if nobody waits for it. */
  take(id: unknown): Command | undefined {
    if (typeof id !== "number") return undefined;
    const command = this.#byId.get(id);
    this.#byId.delete(id);
    return command;
  }

  /** The connection is gone: those that were sent and may not be repeated fail, the others wait for the next. */
  interrupt(error: LiveError): void {
    for (const command of [...this.#byId.values()]) {
      if (command.sent && !command.repeat) {
        this.#byId.delete(command.id);
        command.reject(error);
      } else {
        command.sent = false;
      }
    }
  }

  /** No connection will come any more: all fail. */
  abandon(error: LiveError): void {
    const commands = [...this.#byId.values()];
    this.#byId.clear();
    for (const command of commands) command.reject(error);
  }

  /** Those to send on a fresh connection, in the order in which they were given. */
  unsent(): Command[] {
    return [...this.#byId.values()].filter((command) => !command.sent);
  }
}
