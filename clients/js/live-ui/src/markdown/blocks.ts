/**
 * Cuts Markdown into blocks that can be rendered one by one, so that a text that grows at its end is not parsed from
 * its beginning at every token. Pure text work; what a block looks like is `Markdown.tsx`.
 */

export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly language: string };

interface Piece {
  block: Block;
  /** Where it begins in the text. */
  start: number;
}

const FENCE = /^( {0,3})(`{3,}|~{3,})([^`]*)$/;
const LIST_ITEM = /^(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s/m;

/** The blocks of `text`, from `start` on, which must be the beginning of a block. */
function cut(text: string, start: number): Piece[] {
  const pieces: Piece[] = [];
  let begin = start;
  let fence: { mark: string; nested: boolean; language: string; content: number } | null = null;
  let blank = false;
  let inList = false;

  const flush = (end: number) => {
    const part = text.slice(begin, end);
    if (part.trim() !== "")
      pieces.push({ block: { kind: "text", text: part.replace(/\n+$/, "") }, start: begin });
    begin = end;
    inList = false;
  };

  for (let at = start; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(at, newline < 0 ? text.length : newline).replace(/\r$/, "");
    const mark = FENCE.exec(line);
    if (fence) {
      if (mark && mark[2]?.startsWith(fence.mark) && mark[3]?.trim() === "") {
        if (!fence.nested) {
          const code = text.slice(fence.content, at).replace(/\r?\n$/, "");
          pieces.push({ block: { kind: "code", text: code, language: fence.language }, start: begin });
          begin = end;
        }
        fence = null;
      }
    } else if (mark) {
      const nested = mark[1] !== "";
      if (!nested) flush(at);
      fence = {
        mark: mark[2] ?? "```",
        nested,
        language: (mark[3] ?? "").trim().split(/\s+/)[0] ?? "",
        content: end,
      };
      blank = false;
    } else if (line.trim() === "") {
      blank = true;
    } else {
      const item = LIST_ITEM.test(line);
      const continues = /^\s/.test(line) || (inList && item);
      if (blank && !continues) flush(at);
      // Whether the block that begins here is a list.
      if (text.slice(begin, at).trim() === "") inList = item;
      blank = false;
    }
    at = end;
  }
  if (fence && !fence.nested) {
    pieces.push({
      block: { kind: "code", text: text.slice(fence.content), language: fence.language },
      start: begin,
    });
  } else {
    flush(text.length);
  }
  return pieces;
}

/**
 * Remembers the blocks of a growing text. The last two may still change (a line that is not whole may turn out to
 * belong to the block before it); all others are never looked at again.
 */
export class BlockSplitter {
  private text = "";
  private pieces: Piece[] = [];

  /** The blocks of `text`. Blocks that did not change are the same objects as before. */
  split(text: string): readonly Block[] {
    if (text === this.text && this.pieces.length > 0) return this.pieces.map(({ block }) => block);
    const before = text.startsWith(this.text) ? this.pieces : [];
    const kept = before.slice(0, -2);
    const redone = cut(text, before.at(kept.length)?.start ?? 0).map((piece, index) => {
      const known = before[kept.length + index];
      return known && same(known.block, piece.block) ? { ...piece, block: known.block } : piece;
    });
    this.text = text;
    this.pieces = [...kept, ...redone];
    return this.pieces.map(({ block }) => block);
  }
}

/** The blocks of a text that will not grow. Definitions of links may be anywhere in it, so it then stays whole. */
export function splitWhole(text: string): readonly Block[] {
  return DEFINITION.test(text) ? [{ kind: "text", text }] : cut(text, 0).map(({ block }) => block);
}

function same(a: Block, b: Block): boolean {
  return (
    a.kind === b.kind &&
    a.text === b.text &&
    (a.kind === "text" || b.kind === "text" || a.language === b.language)
  );
}
