/** What an edit in a text field did to the text, by whole characters: half a surrogate pair is never named. */

export interface TextChange {
  /** Where, in UTF-16 units as JavaScript counts. */
  readonly at: number;
  /** How many units went. */
  readonly removed: number;
  readonly inserted: string;
}

/**
 * The change that makes `after` of `before`; null where there is none. `caret` is where the caret stands after it: of
 * several places where the same letter may have been written, that tells the right one.
 */
export function textChange(before: string, after: string, caret = after.length): TextChange | null {
  if (before === after) return null;
  const least = Math.min(before.length, after.length);
  let end = 0;
  while (end < Math.min(least, after.length - caret) && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  while (isInside(before, before.length - end) || isInside(after, after.length - end)) end -= 1;
  let at = 0;
  while (at < least - end && before[at] === after[at]) at += 1;
  while (isInside(before, at) || isInside(after, at)) at -= 1;
  return { at, removed: before.length - end - at, inserted: after.slice(at, after.length - end) };
}

/** Text as a draft takes it: no halves of characters, no NUL. */
export function cleaned(text: string): string {
  return text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** How many characters, as the server counts. */
export function characters(text: string): number {
  let count = 0;
  for (const character of text) count += character ? 1 : 0;
  return count;
}

/** `text` in pieces of about `units` UTF-16 units, each of whole characters. */
export function pieces(text: string, units: number): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + units, text.length);
    if (isInside(text, end)) end += 1;
    found.push(text.slice(at, end));
    at = end;
  }
  return found;
}

/** Whether `at` takes a surrogate pair apart. */
function isInside(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}
