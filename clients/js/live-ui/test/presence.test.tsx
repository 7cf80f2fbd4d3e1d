import type { Person } from "@hanzo/live";
import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { placeOf, pointerAt, type MessageElements } from "../src/cursors/anchor";
import { huesOf } from "../src/cursors/hues";
import { whoIsHere } from "../src/presence/doing";
import { PresenceBar } from "../src/presence/PresenceBar";
import { typingText } from "../src/presence/typing";
import { TypingLine } from "../src/presence/TypingLine";

const person = (name: string, fields: Partial<Person> = {}): Person => ({
  user: { id: `u-${name}`, name, avatar: null },
  isMe: false,
  status: "active",
  isTyping: false,
  isAsking: false,
  ...fields,
});
const typing = (name: string) => person(name, { isTyping: true });
const me = person("Me", { isMe: true, isTyping: true });

afterEach(() => {
  vi.useRealTimers();
});

describe("the line of what others do", () => {
  it.each([
    [[me, person("Ada")], ""],
    [[typing("Ada"), me], "Ada is typing"],
    [[typing("Ada"), typing("Bo")], "Ada and Bo are typing"],
    [[typing("Ada"), typing("Bo"), typing("Cleo")], "3 people are typing"],
    [[person("Ada", { isAsking: true })], "Ada is asking the model"],
    [[typing("Ada"), person("Bo", { isAsking: true })], "Ada is typing · Bo is asking the model"],
  ])("of %o is %j", (people, text) => {
    expect(typingText(people)).toBe(text);
  });

  it("is said to screen readers once it stands, and not anew at each change", () => {
    vi.useFakeTimers();
    const { container, rerender } = render(<TypingLine people={[typing("Ada")]} />);
    const said = () => container.querySelector("[aria-live=polite]")?.textContent;
    act(() => void vi.advanceTimersByTime(1000));
    expect(said()).toBe("");
    act(() => void vi.advanceTimersByTime(1000));
    expect(said()).toBe("Ada is typing");
    for (const people of [[typing("Ada"), typing("Bo")], [typing("Bo")]]) {
      rerender(<TypingLine people={people} />);
      act(() => void vi.advanceTimersByTime(3000));
      expect(said()).toBe("Ada is typing");
    }
    act(() => void vi.advanceTimersByTime(20_000));
    expect(said()).toBe("Bo is typing");
    rerender(<TypingLine people={[]} />);
    act(() => void vi.advanceTimersByTime(2000));
    expect(said()).toBe("");
  });
});

describe("the faces", () => {
  it("are told in words, with a list of everybody behind them", async () => {
    const people = [person("Ada"), person("Bo", { status: "idle" }), typing("Cleo"), person("Dee"), me];
    expect(whoIsHere(people, 5)).toBe("Here now: Ada, Bo (idle), Cleo (typing), Dee and you");
    render(<PresenceBar people={people} total={5} isSummarised={false} />);
    const button = screen.getByRole("button", { name: /^Here now: Ada/ });
    expect(button.querySelector("[data-more='+2']")).not.toBeNull();
    const user = userEvent.setup();
    await user.click(button);
    expect(screen.getAllByRole("listitem")).toHaveLength(5);
    await user.keyboard("{Escape}");
    expect(screen.queryAllByRole("listitem")).toHaveLength(0);
    await user.click(button);
    await user.click(document.body);
    expect(screen.queryAllByRole("listitem")).toHaveLength(0);
  });

  it("are a number where they are too many, and nothing where nobody knows", () => {
    const { container, rerender } = render(<PresenceBar people={[]} total={1234} isSummarised={true} />);
    expect(container.textContent).toBe("1,234 here");
    rerender(<PresenceBar people={[]} total={null} isSummarised={false} />);
    expect(container.textContent).toBe("");
  });
});

describe("a pointer", () => {
  const HEIGHT = 100;
  const GAP = 20;

  /** A conversation as a browser of that width would lay it out. */
  function conversation(count: number, width: number): HTMLElement {
    const content = document.createElement("div");
    const place = (element: Element, top: number, height: number) => {
      element.getBoundingClientRect = () => new DOMRect(30, top, width, height);
    };
    place(content, 0, count * (HEIGHT + GAP));
    for (let n = 0; n < count; n += 1) {
      const article = document.createElement("article");
      article.id = `m-${n}`;
      place(article, n * (HEIGHT + GAP), HEIGHT);
      content.append(article);
    }
    return content;
  }

  const elements = (content: Element): MessageElements => ({
    idOf: (element) => element.id,
    elementOf: (id) => content.querySelector(`#${id}`),
  });

  it("is at the same part of the same message on a page of another width", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(700), fc.nat(1100), (count, x, y) => {
        const [desk, phone] = [conversation(count, 720), conversation(count, 312)];
        const pointer = pointerAt(desk, x + 30, y, elements(desk));
        const there = placeOf(phone, pointer, elements(phone));
        const here = placeOf(desk, pointer, elements(desk));
        expect(Math.abs((here?.left ?? 0) - x)).toBeLessThan(0.1);
        expect(Math.abs((there?.left ?? 0) / 312 - x / 720)).toBeLessThan(0.001);
        expect(there?.top).toBe(here?.top);
        const last = count * (HEIGHT + GAP) - GAP;
        if (y < last + HEIGHT) expect(Math.abs((here?.top ?? 0) - y)).toBeLessThan(0.1);
      }),
    );
  });

  it("is nowhere where its message is not loaded", () => {
    const content = conversation(2, 720);
    expect(placeOf(content, { message: "m-7", x: 0, y: 0 }, elements(content))).toBeNull();
  });
});

it("each person has a colour of their own, and keeps it when others come", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 30 }), (ids) => {
      const hues = huesOf(ids);
      expect(hues.size).toBe(ids.length);
      expect(new Set(ids.slice(0, 12).map((id) => hues.get(id))).size).toBe(Math.min(12, ids.length));
      for (const [id, hue] of huesOf(ids.slice(0, -1))) expect(hues.get(id)).toBe(hue);
    }),
  );
});
