import { render } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockSplitter, splitWhole } from "../src/markdown/blocks";
import { Markdown } from "../src/markdown/Markdown";

const line = fc.constantFrom(
  "A paragraph.",
  "- an item",
  "  more of it",
  "2. second",
  "1",
  "-",
  "",
  "",
  "```ts",
  "```",
  "    indented",
  "> quoted",
  "~~~",
  "| a | b |",
  "# Head",
);

describe("cutting Markdown into blocks", () => {
  it("gives the same blocks however the text grew", () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (lines, steps) => {
          const text = lines.join("\n");
          const growing = new BlockSplitter();
          for (let end = 0, turn = 0; end < text.length; turn++) {
            end = Math.min(text.length, end + (steps[turn % steps.length] ?? 1));
            growing.split(text.slice(0, end));
          }
          expect(growing.split(text)).toEqual(splitWhole(text));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("loses no letter", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        const text = lines.join("\n");
        const letters = (all: string) => all.replace(/[\s`~]|ts/g, "");
        expect(
          letters(
            splitWhole(text)
              .map((block) => block.text)
              .join(""),
          ),
        ).toBe(letters(text));
      }),
    );
  });

  it("keeps what is done the same object, so that it is not drawn again", () => {
    const splitter = new BlockSplitter();
    const before = splitter.split("One.\n\nTwo.\n\nThree.\n\nFo");
    const after = splitter.split("One.\n\nTwo.\n\nThree.\n\nFour, and more.");
    expect(after.slice(0, 3).every((block, index) => block === before[index])).toBe(true);
  });

  it("keeps a list with blank lines in one piece, and code with blank lines too", () => {
    expect(splitWhole("1. one\n\n2. two\n\n   more\n\nEnd")).toHaveLength(2);
    expect(splitWhole("```py\na\n\nb\n```\nEnd")).toEqual([
      { kind: "code", text: "a\n\nb", language: "py" },
      { kind: "text", text: "End" },
    ]);
  });
});

describe("Markdown", () => {
  const attacks = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](  JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![tracker](https://example.com/pixel.png)",
    "<iframe src='https://example.com'></iframe>",
    "<a href='https://example.com' onclick='alert(1)'>x</a>",
    "[x](/accounts/logout/)",
    "[r]\n\n[r]: javascript:alert(1)",
    "<svg><script>alert(1)</script></svg>",
    "<style>body{display:none}</style>",
    "```html\n<script>alert(1)</script>\n```",
  ];

  it.each(attacks)("runs nothing and loads nothing of %s", (text) => {
    for (const growing of [false, true]) {
      const { container, unmount } = render(<Markdown text={text} growing={growing} />);
      expect(
        container.querySelector("script, iframe, img, svg script, style, object, embed, form"),
      ).toBeNull();
      for (const element of container.querySelectorAll("*")) {
        for (const { name } of element.attributes) expect(name).not.toMatch(/^on/i);
      }
      for (const link of container.querySelectorAll("a")) expect(link.protocol).toMatch(/^(https?|mailto):$/);
      unmount();
    }
  });

  it("gives links no way back to the page", () => {
    const { getByRole } = render(<Markdown text="[docs](https://example.com/a)" />);
    expect(getByRole("link").getAttribute("rel")).toBe("noopener noreferrer nofollow");
  });

  it("shows tables, tasks, code and line breaks", () => {
    const text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\nverse\nverse\n\n```js\n1 < 2\n```";
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelectorAll("td")).toHaveLength(2);
    expect(container.querySelector("input[type=checkbox]")).toHaveProperty("disabled", true);
    expect(container.querySelector("br")).not.toBeNull();
    expect(container.querySelector("figure code")?.textContent).toBe("1 < 2");
  });
});
