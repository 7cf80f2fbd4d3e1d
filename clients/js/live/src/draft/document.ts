/** The text of one generation of a draft, as a Yjs document: edits, undo, places in it. Knows no server. */

import { createDecoder, readVarUint, readVarUint8Array } from "lib0/decoding";
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from "lib0/encoding";
import * as Y from "yjs";
import { PART_UNITS } from "./parts";
import { pieces, type TextChange } from "./text-change";

const STEP_1 = 0;
const STEP_2 = 1;
/** What is written without a longer pause is undone at once. */
const CAPTURE_MS = 500;
/** Characters before a run that tell where it stood. */
const CONTEXT = 12;

/** Something that one wrote, in one piece. */
export interface Run {
  /** What stands right before it. */
  readonly before: string;
  readonly text: string;
}

export class DraftDocument {
  private readonly doc = new Y.Doc();
  private readonly content = this.doc.getText("text");
  private readonly history = new Y.UndoManager(this.content, {
    trackedOrigins: new Set([this]),
    captureTimeout: CAPTURE_MS,
  });
  /** Of others, while the text must not move (an input method is composing). */
  private held: Uint8Array[] | null = null;
  private isEditing = false;
  private wasDeletion = false;

  /** `onOwn` is called with each update that one's own edits, undos and redos make; `onChange` at every change. */
  constructor(
    onOwn: (update: Uint8Array) => void,
    private readonly onChange: () => void,
  ) {
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === this || origin === this.history) onOwn(update);
      if (!this.isEditing) onChange();
    });
  }

  get text(): string {
    return this.content.toJSON();
  }

  get canUndo(): boolean {
    return this.history.undoStack.length > 0;
  }

  get canRedo(): boolean {
    return this.history.redoStack.length > 0;
  }

  /** One's own edit. A long one makes several updates, and is one change. */
  edit({ at, removed, inserted }: TextChange): void {
    const [first = "", ...others] = pieces(inserted, PART_UNITS);
    // To write is undone apart from to delete.
    const isDeletion = inserted === "";
    if (isDeletion !== this.wasDeletion) this.history.stopCapturing();
    this.wasDeletion = isDeletion;
    this.isEditing = true;
    this.doc.transact(() => {
      if (removed > 0) this.content.delete(at, removed);
      if (first !== "") this.content.insert(at, first);
    }, this);
    let end = at + first.length;
    for (const piece of others) {
      this.doc.transact(() => this.content.insert(end, piece), this);
      end += piece.length;
    }
    this.isEditing = false;
    this.onChange();
  }

  /** Takes back one's own last edits, and nobody else's. */
  undo(): void {
    this.history.undo();
  }

  redo(): void {
    this.history.redo();
  }

  /** Somebody's update; what is here already changes nothing. */
  apply(update: Uint8Array): void {
    if (this.held) this.held.push(update);
    else Y.applyUpdate(this.doc, update, "others");
  }

  /** Whether they are updates, and continue what is here. */
  canApply(updates: readonly Uint8Array[]): boolean {
    try {
      const { from } = Y.parseUpdateMeta(Y.mergeUpdates([...updates]));
      const has = Y.decodeStateVector(Y.encodeStateVector(this.doc));
      return [...from].every(([client, clock]) => clock <= (has.get(client) ?? 0));
    } catch {
      return false;
    }
  }

  /** Until `release`, others' updates wait. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const update of held) this.apply(update);
  }

  /** Yjs' sync step 1: what one has. */
  question(): Uint8Array {
    const encoder = createEncoder();
    writeVarUint(encoder, STEP_1);
    writeVarUint8Array(encoder, Y.encodeStateVector(this.doc));
    return toUint8Array(encoder);
  }

  /** Takes the server's answer in: step 2, what one lacks, and step 1 behind it. Gives the state that the server has. */
  takeAnswer(message: Uint8Array): Uint8Array {
    const decoder = createDecoder(message);
    if (readVarUint(decoder) !== STEP_2) throw new Error("The answer to a sync does not begin with step 2.");
    this.apply(readVarUint8Array(decoder));
    if (readVarUint(decoder) !== STEP_1) throw new Error("The answer to a sync does not end with step 1.");
    return readVarUint8Array(decoder);
  }

  /** What somebody with `state` and `updates` would still lack; null where that is nothing. */
  lacking(state: Uint8Array, updates: readonly Uint8Array[]): Uint8Array | null {
    const has = Y.decodeStateVector(state);
    const brought = updates.length > 0 ? Y.parseUpdateMeta(Y.mergeUpdates([...updates])) : null;
    for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(this.doc))) {
      const theirs = has.get(client) ?? 0;
      const from = brought?.from.get(client) ?? Infinity;
      if (clock > (from <= theirs ? Math.max(theirs, brought?.to.get(client) ?? 0) : theirs))
        return Y.encodeStateAsUpdate(this.doc, state);
    }
    return null;
  }

  /** What of the text was written by `updates`. */
  runsOf(updates: readonly Uint8Array[]): Run[] {
    if (updates.length === 0) return [];
    const { from, to } = Y.parseUpdateMeta(Y.mergeUpdates([...updates]));
    const found: { start: number; text: string }[] = [];
    let at = 0;
    for (let item = this.content._start; item !== null; item = item.right) {
      if (item.deleted || !(item.content instanceof Y.ContentString)) continue;
      const { client, clock } = item.id;
      const first = Math.max((from.get(client) ?? Infinity) - clock, 0);
      const text = item.content.str.slice(first, Math.max((to.get(client) ?? 0) - clock, first));
      const last = found.at(-1);
      if (text !== "" && last && last.start + last.text.length === at + first) last.text += text;
      else if (text !== "") found.push({ start: at + first, text });
      at += item.length;
    }
    const all = this.text;
    return found.map(({ start, text }) => ({ before: all.slice(Math.max(0, start - CONTEXT), start), text }));
  }

  /** A place in the text that stays with the character before it, whatever others write. */
  placeAt(index: number): Uint8Array {
    return Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(this.content, index, -1));
  }

  /** Where such a place is now; null where it is none of this document. Throws where it is no place at all. */
  indexOf(place: Uint8Array): number | null {
    const position = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(place), this.doc);
    return position?.type === this.content ? position.index : null;
  }

  destroy(): void {
    this.history.destroy();
    this.doc.destroy();
  }
}
