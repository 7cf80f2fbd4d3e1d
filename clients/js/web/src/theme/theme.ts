/**
 * Which theme the page has: the reader's choice, kept in this browser, else the system's. A script of its own that every
 * page loads in its head, before anything is painted; the app reads `window.liveTheme`. What a theme looks like is
 * `tokens.css`'s.
 *
 * It runs as a classic script: no import or export may come into it, types apart.
 */

export type Theme = "system" | "light" | "dark";

export interface ThemeSwitch {
  readonly chosen: () => Theme;
  readonly choose: (theme: Theme) => void;
  /** Calls `listener` after each change, in whichever tab it was made, until the result is called. */
  readonly watch: (listener: () => void) => () => void;
}

declare global {
  interface Window {
    liveTheme: ThemeSwitch;
  }
}

(() => {
  const NAME = "hanzo-live:theme";
  const listeners = new Set<() => void>();

  const parse = (text: string | null | undefined): Theme => (text === "light" || text === "dark" ? text : "system");

  // Storage may be switched off: the choice then lives as long as the page does.
  const read = (): Theme => {
    try {
      return parse(localStorage.getItem(NAME));
    } catch {
      return "system";
    }
  };
  const keep = (theme: Theme): void => {
    try {
      if (theme === "system") localStorage.removeItem(NAME);
      else localStorage.setItem(NAME, theme);
    } catch {
      return;
    }
  };

  let current = read();
  const show = (): void => {
    document.documentElement.dataset["theme"] = current;
    for (const listener of [...listeners]) listener();
  };

  window.liveTheme = {
    chosen: () => current,
    choose: (theme) => {
      current = theme;
      keep(theme);
      show();
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  window.addEventListener("storage", ({ key }) => {
    if (key !== NAME && key !== null) return;
    current = read();
    show();
  });
  show();

  // Pages that the server renders have a list to choose from, which is of no use without this script.
  document.addEventListener("DOMContentLoaded", () => {
    const list = document.querySelector<HTMLSelectElement>("[data-theme-list]");
    if (!list) return;
    const sync = () => (list.value = current);
    list.addEventListener("change", () => window.liveTheme.choose(parse(list.value)));
    listeners.add(sync);
    sync();
    list.closest("[hidden]")?.removeAttribute("hidden");
  });
})();
