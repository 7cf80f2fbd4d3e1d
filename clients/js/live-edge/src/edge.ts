/** What a Worker makes of a request: one viewer, with a socket to the Hanzo Live server that is theirs alone. */

import { Cache } from "./cache";
import { Viewer } from "./viewer";
import { socketOf, socketPair, upgraded, type DurableNamespace, type KeyValue, type WorkerSocket } from "./workers";

export interface HanzoLiveEdgeOptions {
  /** Origin of a Hanzo Live server (`HANZO_NODE_URL`); an inference node alone has no sessions and no streams to offer. */
  nodeUrl: string;
  /** Objects of the class `HanzoLiveSession` (`SESSIONS_DO`): one for each log. */
  durable: DurableNamespace;
  /** Keeps how answers ended (`CACHE_KV`); without it, each object asks the server again once it forgot. */
  kv?: KeyValue | undefined;
}

/** Of the viewer's handshake: who they are and where they come from is the server's to judge. */
const PASSED_ON = [
  "authorization",
  "x-api-key",
  "x-hanzo-key",
  "ocp-apim-subscription-key",
  "cookie",
  "origin",
  "user-agent",
  "sec-websocket-protocol",
];

export class HanzoLiveEdge {
  private readonly upstream: string;

  /** Throws where `nodeUrl` is no address or `durable` is missing: the Worker's bindings are wrong. */
  constructor(private readonly options: HanzoLiveEdgeOptions) {
    const wanted = "HanzoLiveEdge needs";
    let parsed: URL;
    try {
      parsed = new URL(options.nodeUrl);
    } catch {
      throw new TypeError(`${wanted} nodeUrl: the origin of a Hanzo Live server, as https://live.example.com.`);
    }
    if (!("idFromName" in (options.durable as object | undefined ?? {})))
      throw new TypeError(`${wanted} durable: a binding to the Durable Object class HanzoLiveSession.`);
    this.upstream = parsed.origin.replace(/^ws/, "http");
  }

  /** Answers a WebSocket upgrade with 101; with 426 what is none, and with 502 where the server cannot be reached. */
  async handleWebSocket(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return refusal(426, "bad_request", "This address speaks WebSocket only.");
    let response: unknown;
    try {
      response = await fetch(`${this.upstream}/v1/live`, { headers: this.headers(request) });
    } catch {
      return refusal(502, "node_unavailable", "The Hanzo Live server behind this edge cannot be reached. Try again soon.");
    }
    const line = socketOf(response);
    if (!line) return this.noLine(response as Response);
    const { theirs, ours } = socketPair();
    new Viewer(ours, line, (log) => this.object(log), new Cache(this.options.kv, this.upstream)).start();
    const protocol = (response as Response).headers.get("sec-websocket-protocol");
    return upgraded(theirs, protocol ? { "sec-websocket-protocol": protocol } : {});
  }

  private headers(request: Request): Record<string, string> {
    const headers: Record<string, string> = { upgrade: "websocket" };
    for (const name of PASSED_ON) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const address = request.headers.get("cf-connecting-ip");
    if (address !== null) headers["x-forwarded-for"] = address;
    headers["x-forwarded-proto"] = new URL(request.url).protocol.replace(":", "");
    return headers;
  }

  /** A way into the object of `log`. Objects of different servers are different ones. */
  private async object(log: string): Promise<WorkerSocket> {
    const { durable } = this.options;
    const stub = durable.get(durable.idFromName(`${this.upstream} ${log}`) as never);
    const response = await stub.fetch(`https://edge/${encodeURIComponent(log)}`, { headers: { upgrade: "websocket" } });
    const socket = socketOf(response);
    if (!socket) throw new Error("SESSIONS_DO is not bound to the class HanzoLiveSession.");
    return socket;
  }

  private async noLine(response: Response): Promise<Response> {
    await response.body?.cancel();
    if (response.status >= 500)
      return refusal(502, "node_unavailable", "The Hanzo Live server behind this edge is not ready. Try again soon.");
    const message = `${this.upstream} is no Hanzo Live server: set nodeUrl to the origin of one, not of an inference node.`;
    console.error(message);
    return refusal(502, "node_error", message);
  }
}

function refusal(status: number, code: string, message: string): Response {
  const error = { type: "error", id: null, code, message, retryable: code === "node_unavailable", retry_after: null, field: null };
  return Response.json(error, { status });
}
