import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { characters, cleaned, pieces, textChange } from "../src/draft/text-change";

const texts = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀", "👩🏽‍🚀", "\n"), maxLength: 12 });

/** Whether `at` is between two halves of one character. */
const isInside = (text: string, at: number) => /[\uD800-\uDBFF]$/.test(text.slice(0, at)) && at < text.length;

describe("textChange", () => {
  it("makes the one text of the other by whole characters, wherever the caret is", () => {
    fc.assert(
      fc.property(texts, texts, fc.nat(40), (before, after, caret) => {
        const change = textChange(before, after, Math.min(caret, after.length));
        if (change === null) {
          expect(before).toBe(after);
          return;
        }
        const { at, removed, inserted } = change;
        expect(before.slice(0, at) + inserted + before.slice(at + removed)).toBe(after);
        expect(isInside(before, at) || isInside(before, at + removed)).toBe(false);
        expect(inserted).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });

  it.each([
    ["aaa", "aaaa", 2, { at: 1, removed: 0, inserted: "a" }],
    ["aaaa", "aaa", 1, { at: 1, removed: 1, inserted: "" }],
    ["abc", "aXc", 2, { at: 1, removed: 1, inserted: "X" }],
    ["😀", "😁", 2, { at: 0, removed: 2, inserted: "😁" }],
    ["one two", "", 0, { at: 0, removed: 7, inserted: "" }],
  ])("of %j and %j with the caret at %i is where it was made", (before, after, caret, change) => {
    expect(textChange(before, after, caret)).toEqual(change);
  });
});

describe("a draft's text", () => {
  it("has no halves of characters and no NUL", () => {
    expect(cleaned("a\0b\uD83Dc\uDE00d😀")).toBe("ab\uFFFDc\uFFFDd😀");
  });

  it("is counted and cut by whole characters", () => {
    expect(characters("a😀é")).toBe(3);
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 4 }), (text, units) => {
        const cut = pieces(text, units);
        expect(cut.join("")).toBe(text);
        expect(cut.every((piece) => !/\p{Surrogate}/u.test(piece) && piece.length <= units + 1)).toBe(true);
      }),
    );
  });
});
