/** Tells the others what one does: the latest of it, not more often than they can see, and again after a reconnect. */

import { LiveError, type Doing, type SessionStore } from "@hanzo/live-client";

/** Thirty a second; the server tells them twenty. */
const LEAST_MS = 33;

export class Saying {
  /** All that one does now. */
  private readonly doing: Required<Doing> = { status: "active", typing: false, cursor: null };
  /** Of it, what is not said yet. */
  private unsaid: Doing = {};
  private isOpen = false;
  private isBusy = false;
  private nextAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: SessionStore) {}

  /** The server listens, and knows nothing yet. */
  open(): void {
    this.isOpen = true;
    const { status, typing, cursor } = this.doing;
    this.unsaid = {
      ...(status === "active" ? {} : { status }),
      ...(typing ? { typing } : {}),
      ...(cursor === null ? {} : { cursor }),
    };
    this.go();
  }

  close(): void {
    this.isOpen = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  say(doing: Doing): void {
    Object.assign(this.doing, doing);
    Object.assign(this.unsaid, doing);
    this.go();
  }

  private go(): void {
    if (!this.isOpen || this.isBusy || this.timer !== undefined || Object.keys(this.unsaid).length === 0) return;
    const wait = this.nextAt - Date.now();
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.go();
      }, wait);
    } else void this.send();
  }

  private async send(): Promise<void> {
    const doing = this.unsaid;
    this.unsaid = {};
    this.isBusy = true;
    this.nextAt = Date.now() + LEAST_MS;
    const session = this.session.current.session?.id ?? this.session.session;
    try {
      await this.session.client.setPresence(session, doing);
    } catch (reason) {
      const { retryable, retryAfter, code } = LiveError.from(reason);
      // Whatever else is refused or lost is said anew when the session is watched again.
      if (retryable && code !== "DISCONNECTED") {
        this.unsaid = { ...doing, ...this.unsaid };
        this.nextAt = Date.now() + (retryAfter ?? 1) * 1000;
      }
    } finally {
      this.isBusy = false;
      this.go();
    }
  }
}
