/** Puts a text on the clipboard. */

/** Rejects where the browser does not do it. */
export async function copyText(text: string): Promise<void> {
  // It exists on secure pages only; on others a selection does it.
  if ("clipboard" in navigator) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hl-visually-hidden";
  // Within an open dialog: what is behind it cannot be selected.
  const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  const focused = document.activeElement;
  place.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on a page without TLS
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!done) throw new Error("The browser did not copy. Select the text and copy it by hand.");
}
