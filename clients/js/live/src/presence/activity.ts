/** Whether somebody is at the page: they touched it lately, and it is in view. */

const IDLE_MS = 120_000;
/** A person who is active is said to be so again this often: the server takes longer silence for idleness. */
const REPEAT_MS = 60_000;

const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "focus"] as const;

/** Calls back at each change, and while active now and then again; the result stops that. */
export function watchActivity(callback: (isActive: boolean) => void): () => void {
  const listening = new AbortController();
  const options = { capture: true, passive: true, signal: listening.signal };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isActive = true;
  let saidAt = Date.now();

  const say = (next: boolean) => {
    if (next === isActive && !(next && Date.now() - saidAt >= REPEAT_MS)) return;
    isActive = next;
    saidAt = Date.now();
    callback(next);
  };
  const onSign = () => {
    clearTimeout(timer);
    timer = setTimeout(() => say(false), IDLE_MS);
    if (document.visibilityState !== "hidden") say(true);
  };
  for (const sign of SIGNS) window.addEventListener(sign, onSign, options);
  const onView = () => {
    if (document.visibilityState === "hidden") say(false);
    else onSign();
  };
  document.addEventListener("visibilitychange", onView, options);
  onView();
  return () => {
    listening.abort();
    clearTimeout(timer);
  };
}
