/**
 * Where characters of a text field are: browsers do not tell, so the text is laid out once more, unseen, in an element
 * of the same width and style, and measured there.
 */

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** So that a last, empty line has a height. */
const END = "\u200b";

export class FieldRuler {
  private readonly text = document.createTextNode("");

  /** `mirror` has the field's style, and lies on it. */
  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly mirror: HTMLElement,
  ) {
    mirror.replaceChildren(this.text);
  }

  /** Call it before measuring. */
  update(): void {
    const width = `${this.field.clientWidth}px`; // without a scrollbar
    if (this.mirror.style.width !== width) this.mirror.style.width = width;
    const text = this.field.value + END;
    if (this.text.data !== text) this.text.data = text;
  }

  /** The place of a caret before the character `index`, within the field's box as it is scrolled now. */
  caret(index: number): Box {
    const boxes = this.boxes(index, index);
    // At a line's break there are two: the caret goes with the next line, as the browser's own does.
    return boxes.at(-1) ?? { left: 0, top: 0, width: 0, height: 0 };
  }

  /** The lines of a selection. */
  boxes(start: number, end: number): Box[] {
    const range = document.createRange();
    range.setStart(this.text, Math.min(start, this.text.length));
    range.setEnd(this.text, Math.min(end, this.text.length));
    const origin = this.mirror.getBoundingClientRect();
    const { scrollTop } = this.field;
    return Array.from(range.getClientRects(), ({ left, top, width, height }) => ({
      left: left - origin.left,
      top: top - origin.top - scrollTop,
      width,
      height,
    }));
  }
}
