/**
 * Keeps a text field and the shared draft the same: what is typed goes into the draft at once, what others write appears
 * in the field without moving the caret from its words. Knows no React: the field's text is the browser's.
 */

import { textChange, type DraftStore } from "@hanzo/live";
import { grow } from "../ui/use-growing";

type Direction = "forward" | "backward" | "none";

interface Selection {
  copy: number;
  start: string;
  end: string;
  direction: Direction;
}

export interface FieldEvents {
  /** A key changed the text. */
  onTyped: () => void;
  /** The caret or the selection is here now, as places in the draft; null where the field has not the focus. */
  onSelect: (selection: { anchor: string; head: string } | null) => void;
}

export class FieldBinding {
  private selection: Selection | null = null;
  /** What the field shows. */
  private text = "";
  /** The person has done something here: a field that the page itself gave the focus to has a caret, but nobody's. */
  private isInUse = false;

  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly draft: DraftStore,
    private readonly events: FieldEvents,
  ) {}

  /** Until the result is called. */
  bind(): () => void {
    const { field } = this;
    const listening = new AbortController();
    const { signal } = listening;
    field.addEventListener("input", () => this.take(), { signal });
    field.addEventListener("beforeinput", (event) => this.onBeforeInput(event), { signal });
    field.addEventListener("keydown", (event) => this.onKeyDown(event), { signal });
    field.addEventListener("pointerdown", () => this.use(), { signal });
    field.addEventListener("compositionstart", () => this.draft.setComposing(true), { signal });
    field.addEventListener("compositionend", () => this.draft.setComposing(false), { signal });
    field.addEventListener("focus", () => this.remember(), { signal });
    field.addEventListener("blur", () => this.leave(), { signal });
    document.addEventListener("selectionchange", () => this.remember(), { signal });
    const stopReading = this.draft.readText(() => this.show());
    this.show();
    return () => {
      stopReading();
      listening.abort();
      this.draft.setComposing(false);
    };
  }

  /** The field's text is another one: the person changed it. */
  private take(): void {
    const { field, draft } = this;
    const change = textChange(this.text, field.value, field.selectionEnd);
    if (!change) return;
    this.isInUse = true;
    // So that the draft's own change finds the field as it is.
    this.text = field.value;
    if (draft.edit(change)) this.events.onTyped();
    this.show();
    grow(field);
    this.remember();
  }

  private show(): void {
    const { text, copy } = this.draft.current;
    if (text !== this.text) this.write(text, copy);
    else if (this.selection?.copy !== copy) this.remember();
  }

  /** Puts `text` into the field, with the caret where it was in the words. */
  private write(text: string, copy: number): void {
    const { field, selection } = this;
    const { scrollTop } = field;
    this.text = text;
    field.value = text;
    field.scrollTop = scrollTop;
    const start = selection?.copy === copy ? this.draft.indexOf(selection.start) : null;
    const end = selection?.copy === copy ? this.draft.indexOf(selection.end) : null;
    field.setSelectionRange(start ?? text.length, end ?? text.length, selection?.direction);
    grow(field);
    this.remember();
  }

  /** The places of the caret and the selection, which others' edits do not move from their words. */
  private remember(): void {
    const { field, draft } = this;
    if (this.text !== field.value) return; // the event that tells is on its way
    const { selectionStart, selectionEnd, selectionDirection } = field;
    const direction = selectionDirection;
    const [start, end] = [draft.placeAt(selectionStart), draft.placeAt(selectionEnd)];
    this.selection = { copy: draft.current.copy, start, end, direction };
    if (!this.isInUse || document.activeElement !== field) return;
    this.events.onSelect(
      direction === "backward" ? { anchor: end, head: start } : { anchor: start, head: end },
    );
  }

  private use(): void {
    this.isInUse = true;
    this.remember();
  }

  private leave(): void {
    this.isInUse = false;
    this.events.onSelect(null);
  }

  private onKeyDown(event: KeyboardEvent): void {
    this.isInUse = true;
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
    const key = event.key.toLowerCase();
    const isUndo = key === "z" && !event.shiftKey;
    if (!isUndo && key !== "y" && !(key === "z" && event.shiftKey)) return;
    event.preventDefault();
    this.step(isUndo ? "undo" : "redo");
  }

  /** From a menu, or a gesture. */
  private onBeforeInput(event: InputEvent): void {
    const { inputType } = event;
    if (inputType !== "historyUndo" && inputType !== "historyRedo") return;
    event.preventDefault();
    this.step(inputType === "historyUndo" ? "undo" : "redo");
  }

  /** The browser's own undo would take back what others wrote. */
  private step(which: "undo" | "redo"): void {
    if (this.field.readOnly) return;
    const before = this.text;
    this.draft[which]();
    const change = textChange(before, this.text);
    if (!change) return;
    const caret = change.at + change.inserted.length;
    this.field.setSelectionRange(caret, caret);
    this.remember();
    this.events.onTyped();
  }
}
