/** The shared draft as the real server keeps it, over the protocol's test server: generations, numbers, refusals. */

import { createDecoder, readVarUint, readVarUint8Array } from "lib0/decoding";
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from "lib0/encoding";
import * as Y from "yjs";
import { fixture, type Peer, type TestServer } from "../../../live-client/test/support";

type Frame = Record<string, unknown> & { id?: number; type: string };

export class DraftServer {
  doc = new Y.Doc();
  generation = 1;
  n = 0;
  readonly posted = new Map<number, string>();
  /** The next updates are refused with this, once each. */
  readonly refusals: { code: string; retryable: boolean; retry_after: number | null }[] = [];
  /** Told updates for which this says true never arrive. */
  loses: (n: number) => boolean = () => false;
  maxCharacters = 50_000;
  /** Updates that this refuses, as the real one does: by size. */
  maxBytes = 64 * 1024;

  constructor(
    readonly server: TestServer,
    private readonly log = "session:p",
  ) {
    server.handlers.set("draft.sync", (frame, peer) => this.sync(frame, peer));
    server.handlers.set("draft.update", (frame, peer) => this.update(frame, peer));
    server.handlers.set("draft.send", (frame, peer) => this.send(frame, peer));
  }

  get text(): string {
    return this.doc.getText("text").toJSON();
  }

  /** Somebody else's edit. */
  write(text: string, at = this.text.length): void {
    const before = Y.encodeStateVector(this.doc);
    this.doc.getText("text").insert(at, text);
    this.tell(Y.encodeStateAsUpdate(this.doc, before));
  }

  /** Somebody else presses Send. */
  postIt(): void {
    this.posted.set(this.generation, this.text);
    this.advance();
  }

  private sync(frame: Frame, peer: Peer): void {
    const decoder = createDecoder(decoded(frame["update"]));
    if (readVarUint(decoder) !== 0) throw new Error("A sync begins with step 1.");
    const state = readVarUint8Array(decoder);
    const isSame = frame["generation"] === this.generation;
    const encoder = createEncoder();
    writeVarUint(encoder, 1);
    writeVarUint8Array(encoder, Y.encodeStateAsUpdate(this.doc, isSame ? state : undefined));
    writeVarUint(encoder, 0);
    writeVarUint8Array(encoder, Y.encodeStateVector(this.doc));
    const update = encoded(toUint8Array(encoder));
    peer.send({ type: "ok", id: frame.id, update, generation: this.generation, n: this.n });
  }

  private update(frame: Frame, peer: Peer): void {
    const refusal = this.refusals.shift();
    if (refusal) {
      this.refuse(frame, peer, refusal);
      return;
    }
    if (frame["generation"] !== this.generation) {
      this.refuse(frame, peer, { code: "conflict" });
      return;
    }
    const update = decoded(frame["update"]);
    if (update.length > this.maxBytes) {
      this.refuse(frame, peer, { code: "too_large" });
      return;
    }
    const tried = copyOf(this.doc);
    Y.applyUpdate(tried, update);
    const { to } = Y.parseUpdateMeta(update);
    const has = Y.decodeStateVector(Y.encodeStateVector(tried));
    if ([...to].some(([client, clock]) => (has.get(client) ?? 0) < clock)) {
      this.refuse(frame, peer, { code: "conflict" });
      return;
    }
    if (Array.from(tried.getText("text").toJSON()).length > this.maxCharacters) {
      this.refuse(frame, peer, { code: "too_large" });
      return;
    }
    const isNew = !Y.snapshotContainsUpdate(Y.snapshot(this.doc), update);
    this.doc = tried;
    peer.send({ type: "ok", id: frame.id, update: null, generation: this.generation });
    if (isNew) this.tell(update);
  }

  private send(frame: Frame, peer: Peer): void {
    const generation = frame["generation"] as number;
    const refusal = this.refusals.shift();
    if (refusal) {
      this.refuse(frame, peer, refusal);
      return;
    }
    if (!this.posted.has(generation)) {
      this.posted.set(generation, this.text);
      const message = {
        ...fixture<{ message: object }>("event.message").message,
        id: `draft-${generation}`,
        n: this.server.log(this.log).state().messages.length + 1,
        content: this.text,
        key: `draft:${generation}`,
      };
      peer.send({ type: "ok", id: frame.id, message: `draft-${generation}`, stream: null });
      this.server.publish(this.log, { type: "message", message } as never);
      this.advance();
    } else {
      peer.send({ type: "ok", id: frame.id, message: `draft-${generation}`, stream: null });
    }
  }

  private advance(): void {
    this.generation += 1;
    this.doc = new Y.Doc();
    this.n = 0;
    this.broadcast({ generation: this.generation, update: null, n: 0, user: null });
  }

  private tell(update: Uint8Array): void {
    this.n += 1;
    if (this.loses(this.n)) return;
    this.broadcast({ generation: this.generation, update: encoded(update), n: this.n, user: null });
  }

  private broadcast(fields: object): void {
    for (const peer of this.server.peers)
      if (peer.logs.has(this.log)) peer.send({ type: "draft", log: this.log, ...fields });
  }

  private refuse(frame: Frame, peer: Peer, how: object): void {
    peer.send({ ...fixture<object>("reply.error"), retryable: false, retry_after: null, ...how, id: frame.id });
  }
}

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
  return copy;
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function decoded(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(text as string, "base64"));
}
