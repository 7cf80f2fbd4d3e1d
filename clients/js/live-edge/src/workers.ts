/**
 * What is used of the Workers runtime, by structure: the runtime's own types (`@cloudflare/workers-types`, or those that
 * `wrangler types` writes) fit, and need not be installed.
 */

/** A socket as the runtime has it; `accept()` makes it ours to read. */
export interface WorkerSocket {
  accept(): void;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
}

/** One that an object holds, also while it sleeps; what is attached to it is kept with it. */
export interface KeptSocket {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A KV namespace (`CACHE_KV`). */
export interface KeyValue {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>;
}

interface ObjectStub {
  fetch(url: string, init?: { headers?: Record<string, string> }): Promise<unknown>;
}

/** A binding to the objects of a class (`SESSIONS_DO`). `never`, so that every runtime's own id type fits. */
export interface DurableNamespace {
  idFromName(name: string): unknown;
  get(id: never): ObjectStub;
}

/** What an object is made with. */
export interface ObjectContext {
  readonly storage: {
    get(key: string): Promise<unknown>;
    put(key: string, value: unknown): Promise<void>;
    delete(key: string): Promise<boolean>;
    deleteAll(): Promise<void>;
    setAlarm(at: number): Promise<void>;
    deleteAlarm(): Promise<void>;
  };
  acceptWebSocket(socket: KeptSocket): void;
  getWebSockets(): KeptSocket[];
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

/** Both ends of a new socket: the first is answered with, the second is ours. */
export function socketPair(): { theirs: unknown; ours: WorkerSocket & KeptSocket } {
  const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => [unknown, WorkerSocket & KeptSocket] };
  const { 0: theirs, 1: ours } = new WebSocketPair();
  return { theirs, ours };
}

/** The answer that makes `socket` the caller's. */
export function upgraded(socket: unknown, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 101, webSocket: socket, headers } as ResponseInit);
}

/** The socket of a response to an upgrade; null where the other side gave none. */
export function socketOf(response: unknown): WorkerSocket | null {
  return (response as { webSocket?: WorkerSocket | null }).webSocket ?? null;
}
