/** The others' carets and selections, over the field in which everybody writes. Knows no React: it moves with each key. */

import type { Caret, DraftStore, PersonCursor, PresenceStore } from "@hanzo/live";
import type { User } from "@hanzo/live-client";
import { FieldRuler, type Box } from "./field-ruler";
import { Redraw } from "./frame";
import { Marks } from "./marks";

/** The name shows for so long after the caret moved; then only its colour does. */
const NAMED_MS = 3000;

interface Drawn {
  head: number;
  anchor: number;
}

export class CaretLayer {
  private readonly ruler: FieldRuler;
  private readonly marks: Marks;
  private readonly redraw = new Redraw(() => this.draw());
  /** Where each person's caret was found last: a place may come before the letters that it stands behind. */
  private readonly places = new Map<string, Drawn>();
  private readonly heads = new Map<string, string>();
  private readonly namedUntil = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly field: HTMLTextAreaElement,
    layer: HTMLElement,
    mirror: HTMLElement,
    private readonly draft: DraftStore,
    private readonly presence: PresenceStore,
  ) {
    this.ruler = new FieldRuler(field, mirror);
    this.marks = new Marks(layer, "hl-remote-caret", presence.session);
  }

  /** Draws from now on, until the result is called. */
  begin(): () => void {
    const { want } = this.redraw;
    const resized = new ResizeObserver(want);
    resized.observe(this.field);
    this.field.addEventListener("scroll", want, { passive: true });
    const closers = [this.presence.subscribeCursors(want), this.draft.readText(want)];
    want();
    return () => {
      for (const close of closers) close();
      this.field.removeEventListener("scroll", want);
      resized.disconnect();
      this.redraw.stop();
      for (const timer of this.namedUntil.values()) clearTimeout(timer);
      this.namedUntil.clear();
      this.marks.keep(new Set());
    };
  }

  private draw(): void {
    const shown = this.presence.getCursors().filter((each) => this.find(each) !== null);
    this.marks.keep(new Set(shown.map(({ user }) => user.id)));
    for (const id of this.places.keys()) if (!shown.some(({ user }) => user.id === id)) this.forget(id);
    if (shown.length === 0) return;
    this.ruler.update();
    for (const each of shown) this.drawOne(each);
  }

  /** Where their caret and the beginning of their selection are; null where they have none in this draft. */
  private find({ user, draft: caret }: PersonCursor): Drawn | null {
    if (caret?.generation !== this.draft.generation) return null;
    const found = this.locate(caret) ?? this.places.get(user.id) ?? null;
    if (found) this.places.set(user.id, found);
    return found;
  }

  private locate({ head, anchor }: Caret): Drawn | null {
    const [at, from] = [this.draft.indexOf(head), this.draft.indexOf(anchor)];
    return at === null || from === null ? null : { head: at, anchor: from };
  }

  private forget(id: string): void {
    this.places.delete(id);
    this.heads.delete(id);
    clearTimeout(this.namedUntil.get(id));
    this.namedUntil.delete(id);
  }

  private drawOne({ user, isIdle, draft: caret }: PersonCursor): void {
    const place = this.places.get(user.id);
    if (!place || !caret) return;
    const mark = this.marks.of(user);
    const { left, top, height } = this.ruler.caret(place.head);
    mark.style.transform = `translate(${left}px, ${top}px)`;
    mark.style.height = `${height}px`;
    // Scrolled out of the field it would stand over something else.
    mark.hidden = top + height / 2 < 0 || top + height / 2 > this.field.clientHeight;
    mark.classList.toggle("is-idle", isIdle);
    mark.classList.toggle("is-left", left > this.field.clientWidth / 2);
    this.drawSelection(mark, place, left, top);
    if (this.heads.get(user.id) !== caret.head) this.name(user, mark, caret.head);
  }

  private drawSelection(mark: HTMLElement, { head, anchor }: Drawn, left: number, top: number): void {
    const [start, end] = [Math.min(head, anchor), Math.max(head, anchor)];
    const boxes = start === end ? [] : this.ruler.boxes(start, end).flatMap((box) => this.inView(box));
    const old = Array.from(mark.querySelectorAll<HTMLElement>(".hl-remote-selection"));
    for (const line of old.slice(boxes.length)) line.remove();
    boxes.forEach((box, index) => {
      const line = old[index] ?? newLine(mark);
      line.style.transform = `translate(${box.left - left}px, ${box.top - top}px)`;
      line.style.width = `${box.width}px`;
      line.style.height = `${box.height}px`;
    });
  }

  /** The part of a line that one can see in the field. */
  private inView(box: Box): Box[] {
    const top = Math.max(box.top, 0);
    const bottom = Math.min(box.top + box.height, this.field.clientHeight);
    return bottom > top && box.width > 0 ? [{ ...box, top, height: bottom - top }] : [];
  }

  private name(user: User, mark: HTMLElement, head: string): void {
    this.heads.set(user.id, head);
    mark.classList.add("is-named");
    clearTimeout(this.namedUntil.get(user.id));
    this.namedUntil.set(
      user.id,
      setTimeout(() => mark.classList.remove("is-named"), NAMED_MS),
    );
  }
}

function newLine(mark: HTMLElement): HTMLElement {
  const line = document.createElement("span");
  line.className = "hl-remote-selection";
  mark.prepend(line);
  return line;
}
