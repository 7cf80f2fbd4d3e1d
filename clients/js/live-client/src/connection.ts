/**
 * One socket that stays: says hello, pairs commands with replies, notices silence, and comes back after a cut.
 * It hands log frames on as they are; what they mean is `subscriptions.ts`.
 */

import { RECONNECT_DEFAULTS, reconnectDelay, type ReconnectOptions } from "./backoff";
import { closing } from "./close-codes";
import type { ConnectionState } from "./connection-state";
import { Emitter } from "./emitter";
import type { Environment, Sign, SocketLike, Timer } from "./environment";
import { LiveError, type WireErrorBody } from "./errors";
import { PendingCommands, type Command, type Reply } from "./pending";
import { SilenceWatch } from "./silence";
import type { LogEvent, Welcome } from "./protocol.generated";

export interface ConnectionOptions {
  url: string;
  /** Name and version of this client, for the operator. */
  client: string;
  token?: string | undefined;
  getToken?: (() => string | null | Promise<string | null>) | undefined;
  reconnect?: ReconnectOptions | undefined;
}

export interface ConnectionEvents {
  state: [ConnectionState];
  /** Ready for commands: subscriptions are renewed now, before commands that waited are sent. */
  open: [Welcome];
  /** A frame of a log. */
  frame: [LogEvent];
  /** An attempt to come back begins. */
  reconnect: [attempt: number];
  reconnected: [];
  /** The page goes, and the socket with it, if there is one: the last moment to send something, or to keep it. */
  leaving: [];
  error: [LiveError];
}

export interface RequestOptions {
  repeat?: boolean;
  wanted?: () => boolean;
  onOk?: (reply: Reply) => void;
}

const HELLO_TIMEOUT_MS = 10_000;

type Timers = Record<"retry" | "hello" | "goaway", Timer | undefined>;

export class Connection extends Emitter<ConnectionEvents> {
  #current: ConnectionState = { status: "idle" };
  #socket: SocketLike | null = null;
  #welcomed: Welcome | null = null;
  readonly #pending = new PendingCommands();
  readonly #timers: Timers = {
    retry: undefined,
    hello: undefined,
    goaway: undefined,
  };
  readonly #silence: SilenceWatch;
  readonly #reconnecting: Required<ReconnectOptions>;
  #attempt = 0;
  #wasLive = false;
  /** The last `error` with `id: null`: why the server is about to close. */
  #said: LiveError | null = null;
  #notBefore = 0;
  #freshTokenTried = false;
  #stopSigns: (() => void) | null = null;

  readonly #options: ConnectionOptions;
  readonly #environment: Environment;

  constructor(options: ConnectionOptions, environment: Environment) {
    super();
    this.#options = options;
    this.#environment = environment;
    this.#silence = new SilenceWatch(
      environment,
      () => this.request({ type: "ping" }),
      () => this.#abort(disconnected("The server fell silent.")),
    );
    this.#reconnecting = { ...RECONNECT_DEFAULTS, ...options.reconnect };
  }

  get state(): ConnectionState {
    return this.#current;
  }

  /** What the server said of itself and of us; null before the first `welcome`. */
  get welcome(): Welcome | null {
    return this.#welcomed;
  }

  /** Opens the socket unless it is open or being opened. Never throws: watch `state`, or await `ready()`. */
  start(): void {
    const { status } = this.#current;
    if (status !== "idle" && status !== "offline" && status !== "ended") return;
    this.#attempt = 0;
    this.#freshTokenTried = false;
    this.#stopSigns ??= this.#environment.onSign((sign) => this.#heed(sign));
    void this.#open();
  }

  /** Resolves once live. Rejects when attempts are spent, or the server ended it, or `stop()` was called. */
  ready(): Promise<Welcome> {
    if (this.#current.status === "live" && this.#welcomed) return Promise.resolve(this.#welcomed);
    this.start();
    return new Promise((resolve, reject) => {
      const off = this.on("state", (state) => {
        if (state.status === "connecting" || state.status === "waiting") return;
        off();
        if (state.status === "live" && this.#welcomed) resolve(this.#welcomed);
        else if (state.status === "idle") reject(disconnected("The client was disconnected."));
        else if ("error" in state) reject(state.error);
      });
    });
  }

  /** Sends a command, now or as soon as the connection is live. Rejects with a LiveError. */
  request(frame: Record<string, unknown>, { repeat = false, wanted, onOk }: RequestOptions = {}): Promise<Reply> {
    this.start();
    return new Promise((resolve, reject) => {
      const id = this.#pending.nextId();
      const command: Command = { id, frame: { id, ...frame }, repeat, wanted, onOk, resolve, reject, sent: false };
      this.#pending.add(command);
      if (this.#current.status === "live") this.#transmit(command);
    });
  }

  /** Tries again at once instead of waiting out the delay. */
  retryNow(): void {
    if (this.#current.status === "waiting") {
      this.#unset("retry");
      void this.#open();
    } else {
      this.start();
    }
  }

  /** Closes for good; commands on their way fail. `start()` opens again. */
  stop(): void {
    this.#stopSigns?.();
    this.#stopSigns = null;
    this.#dropSocket();
    this.#unset("retry");
    this.#attempt = 0;
    this.#wasLive = false;
    this.#pending.abandon(disconnected("The client was disconnected."));
    this.#setState({ status: "idle" });
  }

  async #open(): Promise<void> {
    const opening: ConnectionState = { status: "connecting", attempt: this.#attempt };
    this.#setState(opening);
    if (this.#attempt > 0) this.emit("reconnect", this.#attempt);
    try {
      const token = this.#options.getToken ? await this.#options.getToken() : (this.#options.token ?? null);
      if (this.#current !== opening) return;
      this.#said = null;
      const opened = this.#environment.openSocket(this.#options.url);
      const socket = "then" in opened ? await opened : opened;
      if (this.#current === opening) this.#attach(socket, token);
      else socket.close();
    } catch (error) {
      const failure = LiveError.from(error);
      if (this.#current === opening) this.#lost(failure, failure.code !== "NO_WEBSOCKET");
    }
  }

  #attach(socket: SocketLike, token: string | null): void {
    this.#socket = socket;
    this.#timers.hello = this.#environment.setTimer(() => {
      this.#abort(disconnected("The server did not answer in time."));
    }, HELLO_TIMEOUT_MS);
    socket.onopen = () => this.#hello(socket, token);
    socket.onmessage = (event: { data: unknown }) => {
      if (socket === this.#socket && typeof event.data === "string") this.#receive(event.data);
    };
    // What went wrong follows in `onclose`; browsers tell nothing more.
    socket.onerror = () => undefined;
    socket.onclose = (event: { code: number }) => {
      if (socket !== this.#socket) return;
      const { error, reconnect } = closing(event.code, this.#said);
      this.#abort(error, reconnect);
    };
  }

  #hello(socket: SocketLike, token: string | null): void {
    if (socket !== this.#socket) return;
    const id = this.#pending.nextId();
    const frame = { id, type: "hello", token, client: this.#options.client };
    const onOk = (reply: Reply) => this.#onWelcome(reply as unknown as Welcome);
    const reject = (error: LiveError) => {
      if (socket === this.#socket)
        this.#abort(error, error.code !== "UNAUTHENTICATED" && error.code !== "FORBIDDEN");
    };
    const command: Command = {
      id,
      frame,
      repeat: false,
      onOk,
      resolve: () => undefined,
      reject,
      sent: false,
    };
    this.#pending.add(command);
    this.#transmit(command);
  }

  #onWelcome(welcome: Welcome): void {
    this.#unset("hello");
    this.#welcomed = welcome;
    const returned = this.#wasLive;
    this.#wasLive = true;
    this.#attempt = 0;
    this.#notBefore = 0;
    this.#freshTokenTried = false;
    this.#setState({ status: "live" });
    this.#silence.start(welcome.limits.heartbeat_s * 1000);
    this.emit("open", welcome);
    for (const command of this.#pending.unsent()) this.#transmit(command);
    if (returned) this.emit("reconnected");
  }

  #transmit(command: Command): void {
    if (command.wanted?.() === false) {
      this.#pending.take(command.id)?.reject(disconnected("It was withdrawn before it was sent."));
      return;
    }
    const text = JSON.stringify(command.frame);
    const limit = this.#welcomed?.limits.max_frame_bytes;
    if (limit && text.length * 3 > limit && new TextEncoder().encode(text).length > limit) {
      const message = `This is larger than the ${limit} bytes that the server takes at once. Send less.`;
      this.#pending.take(command.id)?.reject(new LiveError("TOO_LARGE", message));
      return;
    }
    command.sent = true;
    this.#socket?.send(text);
  }

  #receive(data: string): void {
    this.#silence.heard();
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame !== "object" || frame === null) return;
    const { type, log, id } = frame as { type?: unknown; log?: unknown; id?: unknown };
    if (type === "ok" || type === "welcome" || type === "pong") {
      const command = this.#pending.take(id);
      command?.onOk?.(frame as Reply);
      command?.resolve(frame as Reply);
    } else if (type === "error" && typeof log !== "string") {
      this.#refused(id, frame as WireErrorBody);
    } else if (type === "goaway") {
      this.#leaveSoon((frame as { reconnect_after_ms?: number }).reconnect_after_ms ?? 0);
    } else if (typeof log === "string" && typeof type === "string") {
      this.emit("frame", frame as LogEvent);
    }
  }

  #refused(id: unknown, body: WireErrorBody): void {
    const error = LiveError.fromWire(body);
    const command = this.#pending.take(id);
    if (command) {
      command.reject(error);
      return;
    }
    this.#said = error;
    if (error.retryAfter !== null) this.#notBefore = this.#environment.now() + error.retryAfter * 1000;
    this.emit("error", error);
  }

  /** The server drains: move to another one when it says so, spread over the usual delay. */
  #leaveSoon(afterMs: number): void {
    const wait = afterMs + reconnectDelay(1, this.#reconnecting, () => this.#environment.random());
    this.#notBefore = this.#environment.now() + afterMs;
    this.#unset("goaway");
    this.#timers.goaway = this.#environment.setTimer(() => {
      this.#notBefore = 0;
      this.#pending.interrupt(disconnected("The server restarts."));
      this.#dropSocket();
      void this.#open();
    }, wait);
  }

  #heed(sign: Sign): void {
    if (sign === "leaving") {
      this.#leave();
    } else if (sign === "offline") {
      this.#silence.probeInDoubt();
    } else if (this.#current.status === "waiting") {
      this.retryNow();
    } else if (sign === "changed") {
      this.#silence.probeInDoubt();
    } else if (sign === "online" && this.#current.status === "connecting") {
      // What was begun without a network may hang until its time is up.
      this.#pending.interrupt(disconnected("The network changed."));
      this.#dropSocket();
      void this.#open();
    } else {
      this.#silence.probe();
    }
  }

  /** Closed by the client, the server knows at once that one has gone; a page that returns connects again. */
  #leave(): void {
    this.emit("leaving");
    if (this.#current.status !== "live" && this.#current.status !== "connecting") return;
    this.#pending.interrupt(disconnected("The page was left."));
    this.#dropSocket();
    this.#setState({ status: "waiting", attempt: 1, retryAt: this.#environment.now() });
  }

  /** This socket is of no more use. */
  #abort(error: LiveError, reconnect = true): void {
    this.#dropSocket();
    this.#lost(error, reconnect);
  }

  #lost(error: LiveError, reconnect: boolean): void {
    this.#pending.interrupt(disconnected("The connection was lost before the server answered."));
    if (error.code === "UNAUTHENTICATED" && !reconnect && this.#options.getToken && !this.#freshTokenTried) {
      this.#freshTokenTried = true;
      void this.#open();
      return;
    }
    this.emit("error", error);
    if (!reconnect) {
      this.#giveUp({ status: "ended", error });
    } else if (!this.#reconnecting.enabled || this.#attempt >= this.#reconnecting.maxAttempts) {
      this.#giveUp({ status: "offline", error });
    } else {
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#attempt += 1;
    const now = this.#environment.now();
    const jitter = reconnectDelay(this.#attempt, this.#reconnecting, () => this.#environment.random());
    const delay = Math.max(0, this.#notBefore - now) + jitter;
    this.#setState({ status: "waiting", attempt: this.#attempt, retryAt: now + delay });
    this.#timers.retry = this.#environment.setTimer(() => void this.#open(), delay);
  }

  #giveUp(state: Extract<ConnectionState, { error: LiveError }>): void {
    this.#pending.abandon(state.error);
    this.#setState(state);
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#unset("hello");
    this.#silence.stop();
    this.#unset("goaway");
    socket?.close();
  }

  #unset(name: keyof Timers): void {
    const timer = this.#timers[name];
    if (timer !== undefined) this.#environment.clearTimer(timer);
    this.#timers[name] = undefined;
  }

  #setState(state: ConnectionState): void {
    this.#current = state;
    this.emit("state", state);
  }
}

function disconnected(message: string): LiveError {
  return new LiveError("DISCONNECTED", message, { retryable: true });
}
