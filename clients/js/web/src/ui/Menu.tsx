/**
 * A button that opens a list of commands. The arrow keys, Home, End and first letters move in it; Escape and Tab close
 * it, and the focus is back on the button before a command runs.
 */

import { Check } from "@hanzo/live-ui";
import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactElement,
  type ReactNode,
} from "react";

export type MenuItem =
  | { kind: "action"; label: string; onSelect: () => void; danger?: boolean }
  | { kind: "link"; label: string; href: string; download?: boolean }
  | { kind: "choices"; label: string; choices: readonly Choice[] }
  | { kind: "line" };

/** One of several of which one is chosen. */
interface Choice {
  label: string;
  chosen: boolean;
  onSelect: () => void;
}

interface MenuProps {
  /** What the button is called; its face is `children`. */
  label: string;
  items: readonly (MenuItem | false | null)[];
  children: ReactNode;
  className?: string;
}

const ITEMS = "[role^=menuitem]";
/** Between the menu and its button, and at least to the window's edges. */
const GAP = 4;
const MARGIN = 8;

export function Menu({ label, items, children, className = "hl-button-icon" }: MenuProps): ReactElement {
  const [opened, setOpened] = useState<"first" | "last" | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => setOpened(null);
  const run = (command?: () => void) => {
    button.current?.focus();
    close();
    command?.();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (opened !== null || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    // A list of rows around it has other plans for these keys.
    event.stopPropagation();
    setOpened(event.key === "ArrowDown" ? "first" : "last");
  };
  return (
    <span className="menu-anchor">
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={opened !== null}
        aria-controls={opened === null ? undefined : id}
        onClick={() => setOpened(opened === null ? "first" : null)}
        onKeyDown={onKeyDown}
      >
        {children}
      </button>
      {opened !== null && (
        <MenuList
          id={id}
          label={label}
          items={items.filter((item) => item !== false && item !== null)}
          begin={opened}
          anchor={button}
          onClose={close}
          onRun={run}
        />
      )}
    </span>
  );
}

interface MenuListProps {
  id: string;
  label: string;
  items: readonly MenuItem[];
  /** Where the focus goes at first. */
  begin: "first" | "last";
  anchor: { readonly current: HTMLElement | null };
  onClose: () => void;
  onRun: (command?: () => void) => void;
}

function MenuList({ id, label, items, begin, anchor, onClose, onRun }: MenuListProps): ReactElement {
  const list = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = list.current;
    if (!element || !anchor.current) return;
    place(element, anchor.current.getBoundingClientRect());
    commandsOf(element)
      .at(begin === "first" ? 0 : -1)
      ?.focus();
  }, [anchor, begin]);

  useEffect(() => {
    const isOutside = ({ target }: Event) =>
      target instanceof Node && !list.current?.contains(target) && !anchor.current?.contains(target);
    const onAway = (event: Event) => {
      if (isOutside(event)) onClose();
    };
    document.addEventListener("pointerdown", onAway);
    // What scrolls takes the button along, and the menu not.
    document.addEventListener("scroll", onAway, { capture: true, passive: true });
    window.addEventListener("resize", onClose);
    return () => {
      document.removeEventListener("pointerdown", onAway);
      document.removeEventListener("scroll", onAway, { capture: true });
      window.removeEventListener("resize", onClose);
    };
  }, [anchor, onClose]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      onRun();
      return;
    }
    if (event.key === "Tab") {
      // From the button on, as if there were no menu.
      onRun();
      return;
    }
    const commands = commandsOf(event.currentTarget);
    const at = commands.findIndex((command) => command === document.activeElement);
    const next = goTo(event.key, at, commands);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  return (
    <div ref={list} id={id} className="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
      {items.map((item, index) => (
        <MenuEntry key={index} item={item} onRun={onRun} />
      ))}
    </div>
  );
}

function MenuEntry({
  item,
  onRun,
}: {
  item: MenuItem;
  onRun: (command?: () => void) => void;
}): ReactElement {
  switch (item.kind) {
    case "line":
      return <div className="menu-line" role="separator" />;
    case "choices":
      return (
        <div role="group" aria-label={item.label}>
          <div className="menu-heading" aria-hidden="true">
            {item.label}
          </div>
          {item.choices.map(({ label, chosen, onSelect }) => (
            <button
              key={label}
              type="button"
              className="menu-item"
              role="menuitemradio"
              aria-checked={chosen}
              tabIndex={-1}
              onClick={() => onRun(onSelect)}
            >
              {label}
              {chosen && <Check />}
            </button>
          ))}
        </div>
      );
    case "link":
      return (
        <a
          className="menu-item"
          role="menuitem"
          tabIndex={-1}
          href={item.href}
          download={item.download}
          onClick={() => onRun()}
        >
          {item.label}
        </a>
      );
    default:
      return (
        <button
          type="button"
          className={item.danger ? "menu-item menu-item-danger" : "menu-item"}
          role="menuitem"
          tabIndex={-1}
          onClick={() => onRun(item.onSelect)}
        >
          {item.label}
        </button>
      );
  }
}

function commandsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>(ITEMS)];
}

/** The command that a key goes to from the one at `at`. */
function goTo(key: string, at: number, commands: readonly HTMLElement[]): HTMLElement | undefined {
  if (key === "ArrowDown") return commands[(at + 1) % commands.length];
  if (key === "ArrowUp") return commands.at(at <= 0 ? -1 : at - 1);
  if (key === "Home") return commands[0];
  if (key === "End") return commands.at(-1);
  if (key.length !== 1 || key === " ") return undefined;
  const begins = (command: HTMLElement) =>
    command.textContent.trim().toLowerCase().startsWith(key.toLowerCase());
  return [...commands.slice(at + 1), ...commands.slice(0, at + 1)].find(begins);
}

/** Below the button, or above it where there is more room; its right edge at the button's, within the window. */
function place(menu: HTMLElement, button: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = window.innerHeight - button.bottom - GAP - MARGIN;
  const above = button.top - GAP - MARGIN;
  const goesUp = height > below && above > below;
  const room = Math.max(goesUp ? above : below, 0);
  const left = Math.min(Math.max(button.right - width, MARGIN), window.innerWidth - width - MARGIN);
  menu.style.maxHeight = `${room}px`;
  menu.style.left = `${left}px`;
  menu.style.top = `${goesUp ? button.top - GAP - Math.min(height, room) : button.bottom + GAP}px`;
}
