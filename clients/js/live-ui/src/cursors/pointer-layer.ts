/** What the others point at in the conversation, and the way to tell them what one points at oneself. */

import type { PresenceStore } from "@hanzo/live";
import { placeOf, pointerAt, type MessageElements } from "./anchor";
import { Redraw } from "./frame";
import { Marks } from "./marks";

export class PointerLayer {
  private readonly marks: Marks;
  private readonly redraw = new Redraw(() => this.draw());
  private readonly retell = new Redraw(() => this.tell());
  /** Where one's own pointer is in the window; null where it is elsewhere. */
  private own: { x: number; y: number } | null = null;

  /** `content` scrolls in `scroller`; `layer` lies on it. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly content: HTMLElement,
    layer: HTMLElement,
    private readonly messages: MessageElements,
    private readonly presence: PresenceStore,
  ) {
    this.marks = new Marks(layer, "hl-remote-pointer", presence.session);
  }

  /** Draws and tells from now on, until the result is called. */
  begin(): () => void {
    const { scroller, redraw, retell } = this;
    const listening = new AbortController();
    const options = { passive: true, signal: listening.signal };
    const move = (event: PointerEvent) => {
      // A finger covers what it points at, and is gone when it does not.
      this.own = event.pointerType === "touch" ? null : { x: event.clientX, y: event.clientY };
      retell.want();
    };
    const leave = () => {
      this.own = null;
      retell.want();
    };
    scroller.addEventListener("pointermove", move, options);
    scroller.addEventListener("pointerleave", leave, options);
    scroller.addEventListener("scroll", retell.want, options);
    window.addEventListener("blur", leave, options);
    const grown = new ResizeObserver(redraw.want);
    grown.observe(this.content);
    const closers = [
      this.presence.subscribeCursors(redraw.want),
      // What is said moves what was said before, also under a pointer that stays.
      this.presence.session.subscribe(() => {
        redraw.want();
        if (this.own) retell.want();
      }),
    ];
    redraw.want();
    return () => {
      listening.abort();
      grown.disconnect();
      for (const close of closers) close();
      redraw.stop();
      retell.stop();
      this.presence.move({ pointer: null });
      this.marks.keep(new Set());
    };
  }

  private tell(): void {
    const { own, content, messages } = this;
    this.presence.move({ pointer: own && pointerAt(content, own.x, own.y, messages) });
  }

  private draw(): void {
    const shown = new Set<string>();
    for (const { user, pointer, isIdle } of this.presence.getCursors()) {
      const place = pointer && placeOf(this.content, pointer, this.messages);
      if (!place) continue;
      shown.add(user.id);
      const mark = this.marks.of(user);
      mark.style.transform = `translate(${place.left}px, ${place.top}px)`;
      mark.classList.toggle("is-idle", isIdle);
    }
    this.marks.keep(shown);
  }
}
