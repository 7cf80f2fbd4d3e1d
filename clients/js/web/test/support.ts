/** A session's server for tests of the page: the protocol's test server, and REST over real HTTP beside it. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { EMPTY_LOG, type MemberInfo, type Message, type SessionInfo, type User } from "@hanzo/live-client";
import { vi } from "vitest";
import { WebSocket } from "ws";
import { fixture, TestServer } from "../../live-client/test/support";
import type { PageConfig } from "../src/config";

export const ada: User = { id: "u-ada", name: "Ada Lovelace", avatar: null };
export const grace: User = { id: "u-grace", name: "Grace Hopper", avatar: null };

/** What the server tells Ada's page. */
export const config: PageConfig = {
  user: ada,
  version: "0.1.0",
  model: null,
  session: null,
  urls: {
    home: "/",
    signOut: "/accounts/logout/",
    signIn: "/accounts/login/",
    profile: "/accounts/profile/",
    tokens: "/accounts/tokens/",
    admin: null,
  },
};

export interface RestRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

type Answer = { status: number; body: unknown };

/** REST whose answers a test sets, by `METHOD /path`. Whatever is fetched goes there. */
export class TestRest {
  readonly requests: RestRequest[] = [];
  readonly answers = new Map<string, Answer>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TestRest> {
    const server = createServer();
    const rest = new TestRest(server);
    server.on("request", (request, response) => {
      void rest.handle(request).then(({ status, body }) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(status === 204 ? undefined : JSON.stringify(body));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const real = globalThis.fetch;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const { pathname, search } = new URL(url);
      // jsdom's signals are not Node's.
      return real(base + pathname + search, { ...init, signal: null });
    });
    rest.answers.set("GET /v1/models", {
      status: 200,
      body: { data: [{ id: "smollm2-135m", name: "SmolLM2 135M (demo model)" }] },
    });
    rest.answers.set("GET /v1/sessions/p/invitations", { status: 200, body: { results: [] } });
    rest.answers.set("POST /v1/sessions/p/read", { status: 200, body: { last_read_n: 0, unread: 0 } });
    return rest;
  }

  /** The last request with this method. */
  last(method: string): RestRequest | undefined {
    return this.requests.findLast((request) => request.method === method);
  }

  async stop(): Promise<void> {
    vi.unstubAllGlobals();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = "GET", url = "/", headers } = request;
    this.requests.push({ method, path: url, headers, body: text === "" ? null : JSON.parse(text) });
    const known =
      this.answers.get(`${method} ${url}`) ?? this.answers.get(`${method} ${url.split("?")[0] ?? ""}`);
    return (
      known ?? {
        status: 404,
        body: { ...fixture<object>("reply.error"), code: "not_found", message: "Nothing is here." },
      }
    );
  }
}

/** The page's own socket, which goes to `server`. */
export function socketTo({ url }: TestServer): typeof WebSocket {
  return class extends WebSocket {
    constructor() {
      super(`${url}/v1/live`);
    }
  };
}

let made = 0;

export function message(n: number, fields: Partial<Message> = {}): Message {
  return {
    id: `m${++made}`,
    n,
    role: "user",
    content: `message ${n}`,
    parts: [],
    user: ada,
    stream: null,
    status: "complete",
    finish_reason: null,
    key: null,
    created_at: "2026-11-23T15:04:05.120Z",
    ...fields,
  };
}

/** A session `p` with members and messages, as its log's beginning. */
export function openSession(server: TestServer, members: MemberInfo[], messages: Message[] = []): void {
  const session = {
    ...fixture<{ state: { session: SessionInfo } }>("event.snapshot").state.session,
    id: "p",
    slug: null,
  };
  server.log("session:p", { ...EMPTY_LOG, session: { ...session, title: "Plans" }, members, messages });
}
