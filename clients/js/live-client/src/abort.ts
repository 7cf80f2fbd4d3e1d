/** Listening to an `AbortSignal` without leaving a listener on it. */

/** Calls `callback` when `signal` aborts, at once where it has; the result takes it off again. */
export function onAbort(signal: AbortSignal, callback: (reason: unknown) => void): () => void {
  if (signal.aborted) {
    callback(signal.reason);
    return () => undefined;
  }
  const listener = () => callback(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
