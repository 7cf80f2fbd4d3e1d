/**
 * What one wrote and the server does not have yet, kept in the browser: a page that is closed or reloaded meanwhile
 * loses nothing. Each page has an entry of its own; the next page of the same person takes over what it finds.
 */

import { fromBase64, toBase64 } from "lib0/buffer";
import { newKey } from "@hanzo/live-client";
import type { Run } from "./document";

export interface KeptEdits {
  /** Null where they were written before the server told which one is open: it had none of them. */
  generation: number | null;
  updates: Uint8Array[];
  /** The text that `updates` wrote, for when that generation is over: all of it, and what the server may have. */
  written: Written;
}

export interface Written {
  readonly all: readonly Run[];
  readonly maybeSent: readonly Run[];
  readonly neverSent: readonly Run[];
}

type Entry = Omit<KeptEdits, "updates"> & { updates: string[] };

/** The part of the browser's storage that is used. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export class Keeping {
  private readonly name: string;
  private isKept = false;

  /** `scope` names the person and the session. Without `storage` nothing outlives the page. */
  constructor(
    private readonly scope: string,
    private readonly storage: Store | null = browserStorage(),
  ) {
    this.name = `${this.prefix}${newKey().slice(0, 12)}`;
  }

  private get prefix(): string {
    return `hanzo-live:draft:${this.scope}:`;
  }

  /** In the place of what this page kept before; null for nothing. */
  keep(edits: KeptEdits | null): void {
    this.isKept = edits !== null;
    try {
      if (edits === null) {
        this.storage?.removeItem(this.name);
        return;
      }
      const entry: Entry = { ...edits, updates: edits.updates.map(toBase64) };
      this.storage?.setItem(this.name, JSON.stringify(entry));
    } catch {
      // Switched off or full: the edits live as long as the page does.
      this.isKept = false;
    }
  }

  /** False where another page has taken over what this one kept: it is that page's now. */
  isOurs(): boolean {
    try {
      return !this.isKept || this.storage === null || this.storage.getItem(this.name) !== null;
    } catch {
      return true;
    }
  }

  /** What pages before this one left behind. Calling it takes it over. */
  takeOver(): KeptEdits[] {
    const found: KeptEdits[] = [];
    try {
      for (const name of this.names()) {
        const edits = parse(this.storage?.getItem(name) ?? "");
        this.storage?.removeItem(name);
        if (edits) found.push(edits);
      }
    } catch {
      // Switched off: nothing was left behind.
    }
    return found;
  }

  private names(): string[] {
    const { storage } = this;
    if (!storage) return [];
    return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "").filter(
      (name) => name.startsWith(this.prefix) && name !== this.name,
    );
  }
}

function parse(text: string): KeptEdits | null {
  try {
    const entry = JSON.parse(text) as Entry;
    if (entry.generation !== null && typeof entry.generation !== "number") return null;
    const runs = (those: readonly Run[]) => those.map(({ before, text }) => ({ before, text }));
    const { all, maybeSent, neverSent } = entry.written;
    return {
      generation: entry.generation,
      updates: entry.updates.map((each) => fromBase64(each)),
      written: { all: runs(all), maybeSent: runs(maybeSent), neverSent: runs(neverSent) },
    };
  } catch {
    return null;
  }
}

function browserStorage(): Store | null {
  try {
    return typeof window === "undefined" ? null : window.localStorage;
  } catch {
    return null;
  }
}
