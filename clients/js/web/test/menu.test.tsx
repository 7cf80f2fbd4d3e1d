import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Menu, type MenuItem } from "../src/ui/Menu";

const ran = vi.fn();

const items: MenuItem[] = [
  { kind: "action", label: "Rename", onSelect: () => void ran("rename") },
  { kind: "link", label: "Profile", href: "/profile" },
  { kind: "line" },
  {
    kind: "choices",
    label: "Theme",
    choices: [
      { label: "Light", chosen: true, onSelect: () => void ran("light") },
      { label: "Dark", chosen: false, onSelect: () => void ran("dark") },
    ],
  },
  { kind: "action", label: "Delete", onSelect: () => void ran("delete"), danger: true },
];

function open() {
  ran.mockClear();
  render(
    <>
      <Menu label="Options" items={items}>
        …
      </Menu>
      <button type="button">After</button>
    </>,
  );
  return userEvent.setup();
}

const button = () => screen.getByRole("button", { name: "Options" });
const focused = () => document.activeElement?.textContent;

it("opens with the keyboard and goes round with it", async () => {
  const user = open();
  button().focus();
  await user.keyboard("{ArrowDown}");
  expect(button().getAttribute("aria-expanded")).toBe("true");
  expect(focused()).toBe("Rename");
  await user.keyboard("{ArrowUp}");
  expect(focused()).toBe("Delete");
  await user.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}");
  expect(focused()).toBe("Light");
  await user.keyboard("{End}{Home}");
  expect(focused()).toBe("Rename");
  await user.keyboard("d");
  expect(focused()).toBe("Dark");
  await user.keyboard("d");
  expect(focused()).toBe("Delete");
});

it("runs a command once the focus is back on the button", async () => {
  const user = open();
  await user.click(button());
  const where: unknown[] = [];
  ran.mockImplementation(() => where.push(document.activeElement));
  await user.keyboard("{End}{Enter}");
  expect(ran.mock.calls).toEqual([["delete"]]);
  expect(where).toEqual([button()]);
  expect(screen.queryByRole("menu")).toBeNull();
});

it.each([
  ["Escape", "{Escape}", "Options"],
  ["Tab, going on from the button", "{Tab}", "After"],
])("closes with %s", async (_, keys, expected) => {
  const user = open();
  await user.click(button());
  await user.keyboard(keys);
  expect(screen.queryByRole("menu")).toBeNull();
  expect(document.activeElement?.getAttribute("aria-label") ?? focused()).toBe(expected);
  expect(ran).not.toHaveBeenCalled();
});

it("closes when somebody clicks beside it", async () => {
  const user = open();
  await user.click(button());
  await user.click(screen.getByRole("button", { name: "After" }));
  expect(screen.queryByRole("menu")).toBeNull();
});

it("says which of several is chosen", async () => {
  const user = open();
  await user.click(button());
  const checked = () =>
    screen.getAllByRole("menuitemradio").map((item) => [item.textContent, item.getAttribute("aria-checked")]);
  expect(checked()).toEqual([
    ["Light", "true"],
    ["Dark", "false"],
  ]);
});
