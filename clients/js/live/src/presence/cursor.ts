/** A person's cursor on the wire: their caret in the draft, and what they point at in the conversation. */

/** Places in one generation of the draft: `head` is where the caret stands, `anchor` where the selection began. */
export interface Caret {
  readonly generation: number;
  readonly anchor: string;
  readonly head: string;
}

/** A point within a message, or, where there is none yet, within the column of messages: in parts of its size. */
export interface Pointer {
  readonly message: string | null;
  readonly x: number;
  readonly y: number;
}

export interface Cursor {
  readonly draft: Caret | null;
  readonly pointer: Pointer | null;
}

const LONGEST = 200;
/** A little beside a message is still at it. */
const FARTHEST = 2;

/** Somebody's cursor; what makes no sense is left out, for any client may send anything. */
export function readCursor(cursor: unknown): Cursor {
  const { draft, pointer } = fieldsOf(cursor);
  return { draft: readCaret(fieldsOf(draft)), pointer: readPointer(fieldsOf(pointer)) };
}

/** As others are told it; null where there is nothing to tell. */
export function wireCursor({ draft, pointer }: Cursor): Partial<Cursor> | null {
  if (draft === null && pointer === null) return null;
  return { ...(draft ? { draft } : {}), ...(pointer ? { pointer } : {}) };
}

function readCaret({ generation, anchor, head }: Record<string, unknown>): Caret | null {
  if (typeof generation !== "number" || !isShort(anchor) || !isShort(head)) return null;
  return { generation, anchor, head };
}

function readPointer({ message = null, x, y }: Record<string, unknown>): Pointer | null {
  if (!isNear(x) || !isNear(y) || (message !== null && !isShort(message))) return null;
  return { message, x, y };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST;
}

function isNear(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= FARTHEST;
}
