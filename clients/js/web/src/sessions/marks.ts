/** A text in pieces, those that were found apart from the others. */

export interface Piece {
  text: string;
  marked: boolean;
}

/** `marks` are [start, end) in Unicode code points, in order and apart, as the server counts. */
export function piecesOf(text: string, marks: readonly (readonly [start: number, end: number])[]): Piece[] {
  const points = Array.from(text);
  const pieces: Piece[] = [];
  let at = 0;
  const add = (end: number, marked: boolean) => {
    if (end > at) pieces.push({ text: points.slice(at, end).join(""), marked });
    at = Math.max(at, end);
  };
  for (const [start, end] of marks) {
    add(Math.min(start, points.length), false);
    add(Math.min(end, points.length), true);
  }
  add(points.length, false);
  return pieces;
}
