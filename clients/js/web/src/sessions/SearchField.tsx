/** Where one looks for sessions and messages. `/` goes there from anywhere on the page, Escape empties it. */

import { Search } from "@hanzo/live-ui";
import { useEffect, useRef, type KeyboardEvent, type ReactElement } from "react";

interface SearchFieldProps {
  words: string;
  onChange: (words: string) => void;
}

export function SearchField({ words, onChange }: SearchFieldProps): ReactElement {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (words === "") field.current?.blur();
    else onChange("");
  };
  return (
    <div className="search-field" role="search">
      <Search />
      <input
        ref={field}
        type="search"
        value={words}
        maxLength={200}
        aria-label="Search sessions and messages"
        aria-keyshortcuts="/"
        placeholder="Search sessions and messages"
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

/** Whether keys are text there, or belong to a dialog. */
function isWriting(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, dialog, [role=menu]") !== null;
}
