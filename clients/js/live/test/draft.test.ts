import {
  EMPTY_LOG,
  HanzoLiveClient,
  SessionStore,
  type MemberInfo,
  type Role,
  type SessionInfo,
} from "@hanzo/live-client";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { DraftStore, textChange } from "../src";
import { fixture, TestServer } from "../../live-client/test/support";
import { DraftServer } from "./support/draft-server";

const ME = fixture<{ user: { id: string; name: string; avatar: null } }>("reply.welcome").user;
const NOBODY_WAITS = { timeout: 8000 };

let server: TestServer;
let draft: DraftServer;
let pages: Page[];

/** A page with the draft open. */
class Page {
  readonly client: HanzoLiveClient;
  readonly session: SessionStore;
  readonly draft: DraftStore;
  private readonly closers: (() => void)[];

  constructor(storage: Storage | null = null, { user, session = "p" }: { user?: string; session?: string } = {}) {
    this.client = new HanzoLiveClient({
      url: server.url,
      WebSocket,
      reconnect: { delayMs: 5, maxAttempts: Infinity },
    });
    this.session = new SessionStore(this.client, session);
    this.draft = new DraftStore(this.session, { storage, user: user ?? null });
    this.closers = [this.session.open(), this.draft.open()];
    pages.push(this);
  }

  get text(): string {
    return this.draft.current.text;
  }

  write(text: string, at = this.text.length, removed = 0): void {
    this.draft.edit({ at, removed, inserted: text });
  }

  become(text: string): void {
    const change = textChange(this.text, text);
    if (change) this.draft.edit(change);
  }

  async isReady(): Promise<void> {
    await until(() => this.draft.current.isReady);
  }

  async isSent(): Promise<void> {
    await until(() => !this.draft.current.isPending);
  }

  close(): void {
    for (const close of this.closers.splice(0).reverse()) close();
    this.client.disconnect();
  }
}

/** What the person sees: looked at whenever anything happens. */
async function until(isMet: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(isMet()).toBe(true), NOBODY_WAITS);
}

async function page(storage: Storage | null = null): Promise<Page> {
  const made = new Page(storage);
  await made.isReady();
  return made;
}

function openSession(role: Role): void {
  const { session } = fixture<{ state: { session: SessionInfo } }>("event.snapshot").state;
  const members: MemberInfo[] = [{ user: ME, role }];
  server.logs.delete("session:p");
  server.log("session:p", { ...EMPTY_LOG, session: { ...session, id: "p" }, members });
}

/** Takes the server away, as a cut does, until `back` is called. */
async function cut(): Promise<() => Promise<void>> {
  const { port, logs } = server;
  await server.stop();
  await until(() => pages.every(({ client }) => client.connectionState.status !== "live"));
  return async () => {
    server = await TestServer.start(port);
    for (const [name, log] of logs) server.logs.set(name, log);
    const revived = new DraftServer(server);
    revived.doc = draft.doc;
    revived.generation = draft.generation;
    revived.n = draft.n;
    for (const [generation, text] of draft.posted) revived.posted.set(generation, text);
    draft = revived;
  };
}

/** The server takes its time with the next such command, until the result is called. */
function hold(type: string): () => void {
  const handler = server.handlers.get(type) as (...args: unknown[]) => void;
  let go: () => void = () => undefined;
  server.handlers.set(type, (...args) => {
    go = () => handler(...args);
  });
  return () => {
    server.handlers.set(type, handler);
    go();
  };
}

beforeEach(async () => {
  pages = [];
  server = await TestServer.start();
  draft = new DraftServer(server);
  openSession("editor");
});

afterEach(async () => {
  for (const each of pages) each.close();
  await server.stop();
  localStorage.clear();
});

describe("a shared draft", () => {
  it("is everybody's at once", async () => {
    draft.write("Once ");
    const [ada, bo] = [await page(), await page()];
    expect(ada.text).toBe("Once ");
    ada.write("upon 😀");
    await until(() => bo.text === "Once upon 😀");
    bo.become("Twice upon 😀");
    await until(() => ada.text === "Twice upon 😀" && draft.text === ada.text);
  });

  it("takes what was typed before it was there", async () => {
    draft.write("Theirs. ");
    const ada = new Page();
    ada.write("Mine. ");
    await ada.isReady();
    await until(() => draft.text === ada.text);
    expect(["Theirs. Mine. ", "Mine. Theirs. "]).toContain(ada.text);
  });

  it("gathers keystrokes", async () => {
    const ada = await page();
    for (const letter of "Many letters in no time at all") ada.write(letter);
    await until(() => draft.text === ada.text);
    expect(server.count("draft.update")).toBeLessThan(4);
  });

  it("waits as long as the server says when it says that this is too fast", async () => {
    const ada = await page();
    draft.refusals.push({ code: "rate_limited", retryable: true, retry_after: 0.05 });
    ada.write("slow down");
    await until(() => draft.text === "slow down");
    expect(server.count("draft.sync")).toBe(1);
  });

  it("asks again where an update does not come within a second", async () => {
    const ada = await page();
    draft.loses = (n) => n === 2;
    draft.write("one ");
    draft.write("two ");
    draft.write("three");
    await until(() => ada.text === "one two three");
    expect(server.count("draft.sync")).toBe(2);
  });

  it("undoes what one wrote oneself, and nothing else", async () => {
    const [ada, bo] = [await page(), await page()];
    ada.write("Ada's. ");
    await until(() => bo.text === "Ada's. ");
    bo.write("Bo's. ");
    await until(() => ada.text === "Ada's. Bo's. ");
    ada.draft.undo();
    expect(ada.text).toBe("Bo's. ");
    await until(() => bo.text === "Bo's. ");
    expect(bo.draft.current.canUndo).toBe(true);
    ada.draft.redo();
    await until(() => bo.text === "Ada's. Bo's. ");
  });

  it("says in words that it is too long, and leaves what is there", async () => {
    const ada = await page();
    expect(ada.draft.edit({ at: 0, removed: 0, inserted: "😀".repeat(50_001) })).toBe(false);
    expect(ada.draft.current.error?.message).toMatch(/may have 50,000 characters; with this .* 50,001/);
    expect(ada.text).toBe("");
    ada.write("short");
    expect(ada.draft.current.error).toBeNull();
  });

  it("takes long text in parts, back out and in again", async () => {
    const ada = await page();
    const long = "жук😀".repeat(12_500);
    ada.write(long);
    await until(() => draft.text === long);
    ada.become("");
    await until(() => draft.text === "");
    ada.draft.undo();
    expect(ada.text === long).toBe(true);
    await until(() => draft.text === long);
    expect(ada.draft.current).toMatchObject({ aside: null, error: null });
  });

  it("puts aside what does not fit, and goes on with what the server has", async () => {
    draft.maxCharacters = 10;
    draft.write("12345678");
    const ada = await page();
    ada.write("90 and more");
    await until(() => ada.draft.current.aside !== null);
    expect(ada.draft.current.aside).toMatchObject({ text: "90 and more", error: { code: "TOO_LARGE" } });
    await until(() => ada.text === "12345678");
    ada.become("1");
    await until(() => draft.text === "1");
    ada.draft.discardAside();
    expect(ada.draft.current.aside).toBeNull();
  });

  it("sends nothing of a viewer, and shows them all", async () => {
    openSession("viewer");
    const vera = await page();
    vera.write("I may not");
    draft.write("Only read");
    await until(() => vera.text.includes("Only read"));
    expect(server.count("draft.update")).toBe(0);
    server.publish("session:p", { type: "member", action: "role", user: ME, role: "editor" });
    await until(() => draft.text === vera.text);
    expect(vera.text).toContain("I may not");
  });

  it("does not move under an input method", async () => {
    const ada = await page();
    ada.draft.setComposing(true);
    draft.write("theirs");
    await server.until(() => server.received.length > 0);
    ada.write("mine");
    await until(() => draft.text.includes("mine"));
    expect(ada.text).toBe("mine");
    ada.draft.setComposing(false);
    expect(ada.text).toBe(draft.text);
  });
});

describe("sending it", () => {
  it("posts everything that is written, clears it for all, and is shown as on its way until the log has it", async () => {
    const [ada, bo] = [await page(), await page()];
    ada.write("A question");
    await until(() => bo.text === "A question");
    const answer = hold("draft.send");
    const sent = ada.draft.send();
    await server.until(() => server.count("draft.send") === 1);
    expect(ada.text).toBe("");
    expect(ada.session.current.outgoing).toMatchObject([
      { key: "draft:1", content: "A question", status: "sending" },
    ]);
    answer();
    await sent;
    await until(() => bo.text === "" && ada.session.current.outgoing.length === 0);
    expect(draft.posted).toEqual(new Map([[1, "A question"]]));
    expect(ada.session.current.messages.map(({ content }) => content)).toEqual(["A question"]);
    ada.write("The next");
    await until(() => bo.text === "The next");
  });

  it("posts once where two do it at once", async () => {
    const [ada, bo] = [await page(), await page()];
    ada.write("Only once");
    await until(() => bo.text === "Only once");
    await Promise.all([ada.draft.send(), bo.draft.send()]);
    await until(() => [ada, bo].every(({ session }) => session.current.outgoing.length === 0));
    expect(draft.posted).toEqual(new Map([[1, "Only once"]]));
    expect([ada.draft.current.error, bo.draft.current.error]).toEqual([null, null]);
  });

  it("gives the text back where it is refused, with what was written meanwhile behind it", async () => {
    const ada = await page();
    ada.write("Refused");
    await ada.isSent();
    draft.refusals.push({ code: "conflict", retryable: false, retry_after: null });
    const answer = hold("draft.send");
    const sent = ada.draft.send();
    await server.until(() => server.count("draft.send") === 1);
    ada.write("and more");
    answer();
    await sent;
    expect(ada.draft.current.error?.code).toBe("CONFLICT");
    expect(ada.session.current.outgoing).toEqual([]);
    await until(() => draft.text === "Refused\nand more");
    await ada.draft.send();
    expect(draft.posted.get(1)).toBe("Refused\nand more");
  });

  it("posts nothing that is empty", async () => {
    const ada = await page();
    ada.write("  \n");
    await ada.draft.send();
    expect(server.count("draft.send")).toBe(0);
  });

  it("takes what one types while somebody else sends into the next one", async () => {
    const ada = await page();
    ada.write("Hel");
    await ada.isSent();
    draft.postIt();
    ada.write("lo");
    await until(() => ada.text === "lo" && draft.text === "lo");
    expect(ada.draft.current).toMatchObject({ aside: null, isCarried: false });
  });

  it("is done once though the connection goes while the answer is on its way", async () => {
    const ada = await page();
    ada.write("Across a cut");
    await ada.isSent();
    const { handlers } = server;
    const send = handlers.get("draft.send");
    handlers.set("draft.send", (frame, peer) => {
      handlers.set("draft.send", send as never);
      peer.send = () => undefined;
      send?.(frame, peer);
      peer.socket.terminate();
    });
    await ada.draft.send();
    expect(draft.posted).toEqual(new Map([[1, "Across a cut"]]));
    await until(() => ada.session.current.outgoing.length === 0 && ada.draft.generation === 2);
    expect(server.count("draft.send")).toBe(2);
  });

  it("says that it was not sent where the connection goes before, and keeps the text", async () => {
    const ada = await page();
    server.handlers.set("draft.update", () => undefined);
    ada.write("Not yet");
    const sent = ada.draft.send();
    await server.until(() => server.count("draft.update") === 1);
    const back = await cut();
    await sent;
    expect(ada.draft.current.error?.message).toMatch(/kept: send it again/);
    expect(ada.text).toBe("Not yet");
    await back();
    await until(() => draft.text === "Not yet");
  });
});

describe("without a connection", () => {
  it("one writes on, and it comes together when it is back", async () => {
    const [ada, bo] = [await page(), await page()];
    ada.write("Together. ");
    await until(() => bo.text === "Together. ");
    const back = await cut();
    ada.write("Ada alone. ");
    bo.write("Bo alone. ");
    await back();
    await until(() => ada.text === bo.text && bo.text === draft.text && !ada.draft.current.isPending);
    expect(ada.text).toMatch(/^Together. (Ada alone. Bo alone. |Bo alone. Ada alone. )$/);
  });

  it("goes on in the next draft with what one wrote in one that was posted meanwhile", async () => {
    const ada = await page();
    ada.write("Posted. ");
    await ada.isSent();
    const back = await cut();
    ada.write("Not posted.");
    draft.postIt();
    await back();
    await until(() => ada.text === "Not posted." && draft.text === "Not posted.");
    expect(ada.draft.current).toMatchObject({ isCarried: true, aside: null });
    ada.write("!");
    expect(ada.draft.current.isCarried).toBe(false);
  });

  it("puts it aside where others write in the next one already", async () => {
    const ada = await page();
    ada.write("Posted. ");
    await ada.isSent();
    const back = await cut();
    ada.write("Not posted.");
    draft.postIt();
    draft.write("Something else");
    await back();
    await until(() => ada.draft.current.aside?.text === "Not posted.");
    await until(() => ada.text === "Something else");
    ada.draft.insertAside();
    await until(() => draft.text === "Something else\nNot posted.");
    expect(ada.draft.current.aside).toBeNull();
  });

  it("does not say again what arrived though nobody said so", async () => {
    const ada = await page();
    const { handlers } = server;
    const update = handlers.get("draft.update");
    handlers.set("draft.update", (frame, peer) => {
      peer.send = () => undefined;
      update?.(frame, peer);
      peer.socket.terminate();
      handlers.set("draft.update", update as never);
    });
    ada.write("Arrived");
    await server.until(() => draft.text === "Arrived");
    await until(() => ada.draft.current.isReady && !ada.draft.current.isPending);
    expect(draft.text).toBe("Arrived");

    handlers.set("draft.update", (frame, peer) => {
      peer.send = () => undefined;
      update?.(frame, peer);
      const generation = draft.generation;
      draft.postIt();
      const content = draft.posted.get(generation);
      const message = { ...fixture<{ message: object }>("event.message").message, key: `draft:${generation}` };
      server.publish("session:p", { type: "message", message: { ...message, id: "m", n: 1, content } } as never);
      peer.socket.terminate();
      handlers.set("draft.update", update as never);
    });
    ada.write(", and posted");
    await until(() => ada.draft.generation === 2 && ada.draft.current.isReady);
    await ada.isSent();
    expect(draft.posted.get(1)).toBe("Arrived, and posted");
    expect(ada.draft.current).toMatchObject({ text: "", aside: null });
  });
});

describe("a page that is closed", () => {
  it("keeps the last letter, also of what was written without a connection", async () => {
    const ada = await page(localStorage);
    await cut();
    ada.write("To the last letter");
    window.dispatchEvent(new Event("pagehide"));
    expect(Object.values(localStorage).join()).toContain("To the last letter");
  });

  it("leaves what the server does not have to the next page of the same person", async () => {
    const ada = await page(localStorage);
    draft.write("There. ");
    await until(() => ada.text === "There. ");
    const back = await cut();
    ada.write("Not there yet. ");
    ada.write("Nor this.");
    ada.close();
    await back();
    const again = await page(localStorage);
    await until(() => draft.text === "There. Not there yet. Nor this." && again.text === draft.text);
    await until(() => localStorage.length === 0);
  });

  it("leaves it for the next draft where that one was posted", async () => {
    const ada = await page(localStorage);
    ada.write("Posted. ");
    await ada.isSent();
    const back = await cut();
    ada.write("Not posted.");
    ada.close();
    draft.postIt();
    const message = { ...fixture<{ message: object }>("event.message").message, key: "draft:1" };
    server.log("session:p").append({
      type: "message",
      message: { ...message, id: "m", n: 1, content: "Posted. " },
    } as never);
    await back();
    const again = await page(localStorage);
    await until(() => again.text === "Not posted." && draft.text === "Not posted.");
    expect(again.draft.current.isCarried).toBe(true);
  });

  it("leaves what was written before the draft was there", async () => {
    draft.write("There. ");
    const sync = server.handlers.get("draft.sync");
    server.handlers.set("draft.sync", () => undefined);
    const ada = new Page(localStorage);
    await server.until(() => server.count("draft.sync") === 1);
    ada.write("Written early.");
    ada.close();
    server.handlers.set("draft.sync", sync as never);
    const again = await page(localStorage);
    await until(() => /^There. Written early.$|^Written early.There. $/.test(draft.text) && again.text === draft.text);
    await until(() => localStorage.length === 0);
  });

  it("leaves it also where there was no connection yet, and the page knew the session by its slug", async () => {
    server.log("session:by-slug", server.log("session:p").state());
    server.handlers.set("hello", () => undefined);
    const ada = new Page(localStorage, { user: ME.id, session: "by-slug" });
    ada.write("Written too early.");
    window.dispatchEvent(new Event("pagehide"));
    expect(Object.values(localStorage).join()).toContain("Written too early.");
    ada.close();
    server.handlers.delete("hello");
    const again = new Page(localStorage, { session: "by-slug" });
    await again.isReady();
    await until(() => draft.text === "Written too early.");
    await until(() => localStorage.length === 0);
  });

  it("keeps what was written before the draft was there as that draft's from then on", async () => {
    server.handlers.set("draft.update", () => undefined);
    const ada = new Page(localStorage, { user: ME.id });
    ada.write("Once");
    await ada.isReady();
    const [entry] = Object.values(localStorage) as string[];
    expect(JSON.parse(entry ?? "null")).toMatchObject({ generation: 1, written: { all: [{ text: "Once" }] } });
  });

  it("leaves nothing of what is elsewhere already, and nothing to somebody else", async () => {
    const ada = await page(localStorage);
    const back = await cut();
    ada.write("Ada's");
    ada.close();
    await back();
    server.welcome = { ...server.welcome, user: { ...server.welcome.user, id: "u-bo" } };
    const bo = await page(localStorage);
    expect(bo.text).toBe("");
    expect(localStorage.length).toBe(1);
  });
});

describe("for all edits, cuts, losses and posts", () => {
  type Step = readonly [kind: string, who: number, at?: number, what?: string | number];
  const RUNS = { numRuns: 25 };
  const who = fc.nat(1);
  const writing = fc.tuple(
    fc.constant("write"),
    who,
    fc.nat(30),
    fc.constantFrom("a", "bc", "é", "😀", "👩🏽‍🚀", "שלום"),
  );
  const network: fc.Arbitrary<Step>[] = [
    fc.tuple(fc.constant("cut"), who),
    fc.tuple(fc.constant("lose"), fc.nat(3)),
    fc.tuple(fc.constant("wait"), fc.nat(30)),
  ];
  const editing: fc.Arbitrary<Step>[] = [
    fc.tuple(fc.constant("delete"), who, fc.nat(30), fc.integer({ min: 1, max: 4 })),
    fc.tuple(fc.constant("undo"), who),
    fc.tuple(fc.constant("redo"), who),
  ];
  const steps = (...others: fc.Arbitrary<Step>[]) =>
    fc.array(fc.oneof({ weight: 6, arbitrary: writing }, ...network, ...others), {
      minLength: 5,
      maxLength: 40,
    });

  /** What two people do, and what the network does to them. */
  async function play(people: readonly [Page, Page], taken: readonly Step[]): Promise<void> {
    for (const [kind, number, place = 0, what] of taken) {
      const editor = people[number] ?? people[0];
      const characters = Array.from(editor.text);
      const at = characters.slice(0, place).join("").length;
      if (kind === "write") {
        editor.write(what as string, at);
      } else if (kind === "delete") {
        const gone = characters.slice(place, place + (what as number)).join("");
        if (gone !== "") editor.write("", at, gone.length);
      } else if (kind === "undo") editor.draft.undo();
      else if (kind === "redo") editor.draft.redo();
      else if (kind === "post") void editor.draft.send();
      else if (kind === "cut") server.cut();
      else if (kind === "lose") {
        const lost = draft.n + number;
        draft.loses = (n) => n === lost;
      } else await new Promise((resolve) => setTimeout(resolve, number));
    }
  }

  async function agree([ada, bo]: readonly [Page, Page]): Promise<void> {
    draft.loses = () => false;
    const areOne = () =>
      [ada, bo].every(({ client, draft: { current } }) => {
        const isLive = client.connectionState.status === "live";
        return isLive && current.isReady && !current.isPending && !current.isSending;
      }) &&
      [ada, bo].every((each) => each.draft.generation === draft.generation && each.text === draft.text);
    // That a last update was lost shows at the next one.
    ada.write("!");
    await until(areOne);
  }

  async function anew(): Promise<void> {
    for (const each of pages.splice(0)) each.close();
    await server.stop();
    server = await TestServer.start();
    draft = new DraftServer(server);
    openSession("editor");
  }

  it("two editors and the server have one text in the end", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps(...editing), async (taken) => {
        await anew();
        const people = [await page(), await page()] as const;
        await play(people, taken);
        await agree(people);
        expect(draft.text).not.toMatch(/\p{Surrogate}/u);
      }),
      RUNS,
    );
  });

  // Something that is written is a word of its own here: `<000017>`.
  const WORD = /<\d{6}>/g;
  const wordly: fc.Arbitrary<Step> = fc.tuple(fc.constant("word"), who, fc.nat(20));
  const posting: fc.Arbitrary<Step> = fc.tuple(fc.constant("post"), who);

  async function wordsOf(taken: readonly Step[]) {
    await anew();
    const people = [await page(), await page()] as const;
    const written: string[] = [];
    for (const step of taken) {
      if (step[0] === "word") {
        const editor = people[step[1]] ?? people[0];
        const places = [...Array.from(editor.text.matchAll(WORD), ({ index }) => index), editor.text.length];
        written.push(`<${String(written.length).padStart(6, "0")}>`);
        editor.write(written.at(-1) ?? "", places[(step[2] ?? 0) % places.length]);
      } else await play(people, [step]);
    }
    await agree(people);
    const asides = people.map(({ draft: { current } }) => current.aside?.text ?? "");
    const everywhere = [...draft.posted.values(), draft.text, ...asides].join("");
    return { written, found: Array.from(everywhere.matchAll(WORD), ([word]) => word).sort() };
  }

  const script = (...kinds: fc.Arbitrary<Step>[]) =>
    fc.array(fc.oneof({ weight: 6, arbitrary: wordly }, posting, ...kinds), { minLength: 5, maxLength: 40 });

  it("nothing is lost or there twice, whoever posts when", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(script(...network.slice(1)), async (taken) => {
        const { written, found } = await wordsOf(taken);
        expect(found).toEqual(written);
      }),
      RUNS,
    );
  });

  it("nothing is lost, whenever the connection goes", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(script(...network), async (taken) => {
        const { written, found } = await wordsOf(taken);
        expect([...new Set(found)]).toEqual(written);
      }),
      RUNS,
    );
  });
});
