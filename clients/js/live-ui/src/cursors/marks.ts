/** One mark a person in a layer of the page: made when they come, kept while they are there, gone with them. */

import type { SessionStore, User } from "@hanzo/live-client";
import { huesOf } from "./hues";

export class Marks {
  private readonly marks = new Map<string, HTMLElement>();

  constructor(
    private readonly layer: HTMLElement,
    private readonly className: string,
    private readonly session: SessionStore,
  ) {}

  /** The mark of `user`, with their name and colour. */
  of(user: User): HTMLElement {
    let mark = this.marks.get(user.id);
    if (!mark) {
      mark = document.createElement("div");
      mark.className = this.className;
      mark.style.setProperty("--person-hue", String(this.hueOf(user.id)));
      mark.append(nameTag());
      this.marks.set(user.id, mark);
      this.layer.append(mark);
    }
    const name = mark.lastElementChild;
    if (name && name.textContent !== user.name) name.textContent = user.name;
    return mark;
  }

  private hueOf(id: string): number {
    const members = this.session.current.members.map(({ user }) => user.id);
    return huesOf(members).get(id) ?? 0;
  }

  /** Takes away the marks of all others. */
  keep(users: ReadonlySet<string>): void {
    for (const [id, mark] of this.marks) {
      if (users.has(id)) continue;
      mark.remove();
      this.marks.delete(id);
    }
  }
}

function nameTag(): HTMLElement {
  const name = document.createElement("span");
  name.className = "hl-person-tag";
  return name;
}
