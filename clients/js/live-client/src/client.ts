/**
 * The client: one connection, streams and subscriptions over it. How each of them works is in their own files; here
 * they are put together.
 */

import { onAbort } from "./abort";
import { Connection } from "./connection";
import type { ConnectionState } from "./connection-state";
import { Emitter, type Listener } from "./emitter";
import { defaultEnvironment, type Environment } from "./environment";
import { LiveError } from "./errors";
import { newKey } from "./key";
import { LiveStream } from "./live-stream";
import { Metrics } from "./metrics";
import {
  answerFields,
  withDefaults,
  type AnswerOptions,
  type HanzoLiveClientOptions,
  type SendRequest,
  type StreamRequest,
} from "./options";
import type { Reply } from "./pending";
import type { RestAccess } from "./rest";
import type { LogSink, SubscribeOptions } from "./subscription";
import { Subscriptions } from "./subscriptions";
import { socketUrl } from "./url";
import { VERSION } from "./version";
import type {
  ConnectedUser,
  DraftSendOk,
  DraftSyncOk,
  LogEvent,
  MessageSendOk,
  PresenceStatus,
  Role,
  SessionInviteOk,
  StreamEvent,
  StreamStartOk,
  Welcome,
} from "./protocol.generated";

export interface ClientEvents {
  /** Something went wrong; what can go on does. */
  error: [LiveError];
  /** An attempt to come back begins. */
  reconnect: [attempt: number];
  reconnected: [];
  /** The page goes, and the socket with it, if there is one: the last moment to send something, or to keep it. */
  leaving: [];
  connection: [ConnectionState];
  stream_start: [{ stream: string; model: string; userId: string | null }];
  /** `totalTokens` are those generated, `firstToken` ms until text came here. `duration` in ms. */
  stream_complete: [
    {
      stream: string;
      duration: number;
      totalTokens: number;
      tokensPerSecond: number;
      firstToken: number | null;
      cached: "exact" | "semantic" | null;
    },
  ];
  stream_error: [{ stream: string | null; error: LiveError; model: string | null }];
}

/** What one does in a session, as the others are told. */
export interface Doing {
  status?: PresenceStatus;
  typing?: boolean;
  /** Any small JSON; null hides it. */
  cursor?: unknown;
}

interface Link {
  connection: Connection;
  subscriptions: Subscriptions;
}

const MOST_REMEMBERED = 1000;

export class HanzoLiveClient {
  readonly #events = new Emitter<ClientEvents>();
  readonly #environment: Environment;
  readonly #main: Link;
  /** Sockets of single streams, with `multiplexing: false`. */
  readonly #extra = new Set<Link>();
  readonly #logs = new Map<string, string>();

  readonly #options: HanzoLiveClientOptions;

  constructor(options: HanzoLiveClientOptions = {}, environment?: Environment) {
    this.#options = options;
    this.#environment = environment ?? defaultEnvironment(options.WebSocket);
    this.#main = this.#link();
    const { connection } = this.#main;
    connection.on("state", (state) => this.#events.emit("connection", state));
    connection.on("error", (error) => this.#events.emit("error", error));
    connection.on("reconnect", (attempt) => this.#events.emit("reconnect", attempt));
    connection.on("reconnected", () => this.#events.emit("reconnected"));
    connection.on("leaving", () => this.#events.emit("leaving"));
    const { metrics, url, token, getToken } = options;
    if (metrics?.enabled)
      new Metrics(url, async () => (getToken ? getToken() : token), metrics.endpoint).listen(this.#events);
  }

  /** For REST in this client's name: `rest(client.access, "sessions")`. */
  get access(): RestAccess {
    return this.#options;
  }

  get connectionState(): ConnectionState {
    return this.#main.connection.state;
  }

  /** Who the server takes us for; null before the first connection. */
  get user(): ConnectedUser | null {
    return this.#main.connection.welcome?.user ?? null;
  }

  /** Resolves once connected. Rejects with a LiveError when attempts are spent or the server refused. */
  connect(): Promise<Welcome> {
    return this.#main.connection.ready();
  }

  /** Tries again at once, where it waits or has given up. */
  retryNow(): void {
    this.#main.connection.retryNow();
  }

  /** Resolves when the connection is back. Rejects when it will not come back by itself. */
  async waitForReconnect(): Promise<void> {
    await this.#main.connection.ready();
  }

  /** Closes everything; streams on the server go on. Whatever is being read ends with STREAM_INTERRUPTED. */
  disconnect(): void {
    const error = new LiveError("DISCONNECTED", "The client was disconnected.", { retryable: true });
    for (const link of [this.#main, ...this.#extra]) {
      link.subscriptions.endAll(error);
      link.connection.stop();
    }
    this.#extra.clear();
  }

  on<K extends keyof ClientEvents>(event: K, listener: Listener<ClientEvents[K]>): () => void {
    return this.#events.on(event, listener);
  }

  off<K extends keyof ClientEvents>(event: K, listener: Listener<ClientEvents[K]>): void {
    this.#events.off(event, listener);
  }

  onConnection(listener: (state: ConnectionState) => void): () => void {
    return this.#events.on("connection", listener);
  }

  /** Watches a log (`session:<id or slug>`, `stream:<id>`): first a snapshot, then every event, in order and once. */
  subscribe(log: string, listener: (event: LogEvent) => void, options: SubscribeOptions = {}): () => void {
    const sink: LogSink = { event: listener, ended: (error) => this.#events.emit("error", error) };
    return this.watch(log, sink, options);
  }

  /** Stops watching a log, for every listener of this client. */
  async unsubscribe(log: string): Promise<void> {
    await this.#main.subscriptions.remove(log);
  }

  /** As `subscribe`, and tells when and why it ended. */
  watch(log: string, sink: LogSink, options: SubscribeOptions = {}): () => void {
    this.#main.connection.start();
    return this.#main.subscriptions.add(log, sink, options);
  }

  /** Asks a model; iterates the answer's text. */
  chat(request: StreamRequest): LiveStream {
    return this.#begin("text", request);
  }

  /** Asks a model; iterates text, or events with `events: true` or `streamToolCalls: true`. */
  stream(request: StreamRequest & ({ events: true } | { streamToolCalls: true })): LiveStream<StreamEvent>;
  stream(request: StreamRequest): LiveStream;
  stream(request: StreamRequest): LiveStream<string | StreamEvent> {
    return request.events === true || request.streamToolCalls === true
      ? this.#begin<StreamEvent>("events", request)
      : this.#begin("text", request);
  }

  /** Reads on where reading was interrupted: the whole text so far comes first. */
  resume(stream: string): LiveStream {
    const live = new LiveStream("text", { stop: (id) => this.stop(id) });
    const log = this.#logs.get(stream) ?? `stream:${stream}`;
    const finish = () => {
      off();
      leave();
    };
    const sink = this.#sinkOf(live, finish, null);
    live.begin(stream, (held) => this.#main.subscriptions.hold(log, sink, held));
    const off = this.#guard(live, this.#main, finish);
    const { showThoughts, flushInterval, bufferSize } = this.#options;
    const leave = this.watch(log, sink, { showThoughts, flushInterval, bufferSize });
    return live;
  }

  /** Posts a message in a session and, unless `reply` is false, asks the model. Safe to repeat with the same `key`. */
  async sendMessage(request: SendRequest): Promise<{ message: string; stream: string | null }> {
    const { session, content, reply, ...answer } = withDefaults(this.#options, request);
    const key = answer.key ?? newKey();
    const frame = { type: "message.send", session, content, reply, ...answerFields({ ...answer, key }) };
    const ok = (await this.#main.connection.request(frame, { repeat: true })) as unknown as MessageSendOk;
    return this.#posted(session, ok);
  }

  /** Stops a stream; what it wrote stays. */
  async stop(stream: string): Promise<void> {
    await this.#main.connection.request({ type: "stream.stop", stream }, { repeat: true });
  }

  /** Lets a tool call run that waits for approval, or denies it. Rejects with CONFLICT where somebody was first. */
  async approveTool(stream: string, call: string, approved: boolean, reason?: string): Promise<void> {
    await this.#main.connection.request({ type: "tool.approve", stream, call, approved, reason });
  }

  /** Tells what a tool gave that this client ran: its `output`, or an `error` in words. */
  async answerTool(
    stream: string,
    call: string,
    outcome: { output: unknown } | { error: string },
  ): Promise<void> {
    await this.#main.connection.request({ type: "tool.result", stream, call, ...outcome });
  }

  /** Tells the others of a session what one does; what is absent stays as it was. Watch the session first. */
  async setPresence(session: string, doing: Doing): Promise<void> {
    await this.#main.connection.request({ type: "presence.set", session, ...doing });
  }

  /** Brings a shared draft up to date: `update` is one's state as a Yjs sync message (step 1), in base64. */
  async syncDraft(session: string, generation: number | null, update: string): Promise<DraftSyncOk> {
    const frame = { type: "draft.sync", session, generation, update };
    return (await this.#main.connection.request(frame)) as unknown as DraftSyncOk;
  }

  /** Changes the shared draft: `update` is a Yjs update in base64. */
  async updateDraft(session: string, generation: number, update: string): Promise<void> {
    await this.#main.connection.request({ type: "draft.update", session, generation, update });
  }

  /** Posts the shared draft as one's message and asks the model. Safe to repeat: a generation is posted once. */
  async sendDraft(
    session: string,
    generation: number,
    options: AnswerOptions = {},
  ): Promise<{ message: string; stream: string | null }> {
    const answer = answerFields(withDefaults(this.#options, options));
    const frame = { type: "draft.send", session, generation, ...answer };
    const ok = (await this.#main.connection.request(frame, { repeat: true })) as unknown as DraftSendOk;
    return this.#posted(session, ok);
  }

  /** Invites somebody to a session (with no `email`, whoever has the link); gives the link, this once. */
  async inviteUser(session: string, email: string | null, role: Role = "editor"): Promise<SessionInviteOk> {
    const frame = { type: "session.invite", session, email: email ?? undefined, role };
    return (await this.#main.connection.request(frame)) as unknown as SessionInviteOk;
  }

  /** The same as `inviteUser`. */
  invite(session: string, email: string | null, role: Role = "editor"): Promise<SessionInviteOk> {
    return this.inviteUser(session, email, role);
  }

  #begin<Item extends string | StreamEvent = string>(
    yields: "text" | "events",
    request: StreamRequest,
  ): LiveStream<Item> {
    const link = this.#options.multiplexing === false ? this.#privateLink() : this.#main;
    const live = new LiveStream<Item>(yields, { stop: (id) => this.stop(id) });
    const closers: (() => void)[] = [];
    const finish = () => {
      for (const close of closers.splice(0)) close();
      this.#release(link);
    };
    const { signal, ...rest } = request;
    if (signal) {
      const abort = (reason: unknown) => {
        live.abort(reason);
        // Before it has an id it cannot be stopped: the server's answer is awaited for that.
        if (live.id !== null) finish();
      };
      closers.push(onAbort(signal, abort));
    }
    if (live.isOver) finish();
    else this.#start(link, live, rest, { closers, finish });
    return live;
  }

  #start(
    link: Link,
    live: LiveStream<string | StreamEvent>,
    request: StreamRequest,
    { closers, finish }: { closers: (() => void)[]; finish: () => void },
  ): void {
    const { session, messages, content, ...answer } = withDefaults(this.#options, request);
    const key = answer.key ?? newKey();
    const asked = this.#environment.now();
    const frame = { type: "stream.start", session, messages, content, ...answerFields({ ...answer, key }) };
    const onOk = (reply: Reply) => {
      const ok = reply as unknown as StreamStartOk;
      this.#remember(ok);
      const sink = this.#sinkOf(live, finish, asked);
      live.begin(ok.stream, (held) => link.subscriptions.hold(ok.log, sink, held));
      const { showThoughts, flushInterval, bufferSize } = answer;
      const leave = link.subscriptions.adopt(ok, sink, { showThoughts, flushInterval, bufferSize });
      closers.push(leave, this.#guard(live, link, finish));
      if (live.isOver) finish();
    };
    const begun = link.connection.request(frame, { repeat: true, wanted: () => !live.isOver, onOk });
    begun.catch((reason: unknown) => {
      if (!live.isOver) {
        const error = LiveError.from(reason);
        live.fail(error);
        this.#events.emit("stream_error", { stream: null, error, model: answer.model ?? null });
      }
      finish();
    });
  }

  #posted(
    session: string,
    { message, stream = null }: MessageSendOk | DraftSendOk,
  ): { message: string; stream: string | null } {
    if (stream !== null) this.#remember({ stream, log: `session:${session}` });
    return { message, stream };
  }

  /** Where a stream is to be found, for `resume`; of those that were never read to their end, the latest. */
  #remember({ stream, log }: Pick<StreamStartOk, "stream" | "log">): void {
    this.#logs.set(stream, log);
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > MOST_REMEMBERED && oldest !== undefined) this.#logs.delete(oldest);
  }

  /** Feeds a log's events to a stream, tells the client's listeners, and calls `finish` at the end. */
  #sinkOf(
    live: LiveStream<string | StreamEvent>,
    finish: () => void,
    askedAt: number | null,
  ): LogSink {
    let firstToken: number | null = null;
    return {
      event: (event) => {
        if (live.isOver) return;
        const over = live.take(event);
        if (askedAt !== null && live.state?.content) firstToken ??= this.#environment.now() - askedAt;
        if (event.type === "stream_start" && event.stream === live.id) {
          this.#events.emit("stream_start", {
            stream: event.stream,
            model: event.model,
            userId: event.user?.id ?? null,
          });
        }
        if (!over) return;
        this.#announceEnd(live, firstToken);
        finish();
      },
      ended: (error) => {
        live.fail(error);
        finish();
      },
    };
  }

  #announceEnd(live: LiveStream<string | StreamEvent>, firstToken: number | null): void {
    const state = live.state;
    if (!state) return;
    const stream = state.id;
    this.#logs.delete(stream);
    if (state.error) {
      const error = LiveError.fromWire(state.error, { stream, text: state.content });
      this.#events.emit("stream_error", { stream, error, model: state.model });
    } else {
      this.#events.emit("stream_complete", {
        stream,
        duration: state.durationMs ?? 0,
        totalTokens: state.usage?.completion_tokens ?? state.tokens,
        tokensPerSecond: state.tokensPerSecond ?? 0,
        firstToken,
        cached: state.cached,
      });
    }
  }

  /** A stream's reader hears of a lost connection: at once if it does not resume, else when nobody tries any more. */
  #guard(
    live: LiveStream<string | StreamEvent>,
    link: Link,
    finish: () => void = () => undefined,
  ): () => void {
    const resumes = this.#options.resumeOnReconnect ?? true;
    const off = link.connection.on("state", (state) => {
      if (live.isOver) return;
      if ("error" in state) {
        live.fail(state.error);
        finish();
      } else if (!resumes && state.status !== "live") {
        live.fail(new LiveError("DISCONNECTED", "The connection was lost while the answer was read."));
        finish();
      }
    });
    return off;
  }

  #link(): Link {
    const connection = new Connection(
      {
        url: socketUrl(this.#options.url),
        client: `hanzo-live-js/${VERSION}`,
        token: this.#options.token,
        getToken: this.#options.getToken,
        reconnect: this.#options.reconnect,
      },
      this.#environment,
    );
    return { connection, subscriptions: new Subscriptions(connection) };
  }

  #privateLink(): Link {
    const link = this.#link();
    this.#extra.add(link);
    return link;
  }

  #release(link: Link): void {
    if (this.#extra.delete(link)) link.connection.stop();
  }
}
