/** The browser's Web Locks, which Node has not: exclusive ones, in one process. For tests. */

type Held = { end: () => void };
type Granted = () => unknown;

export class FakeLocks {
  private readonly held = new Map<string, Held>();
  private readonly queues = new Map<string, (() => void)[]>();

  request(name: string, options: { steal?: boolean } | Granted, granted?: Granted): Promise<void> {
    const [how, work] = typeof options === "function" ? [{}, options] : [options, granted as Granted];
    return new Promise((resolve, reject) => {
      const begin = () => {
        const mine: Held = { end: () => reject(new DOMException("Stolen.", "AbortError")) };
        this.held.set(name, mine);
        void Promise.resolve(work()).then(() => {
          resolve();
          if (this.held.get(name) === mine) this.next(name);
        });
      };
      if (how.steal) this.held.get(name)?.end();
      if (how.steal || !this.held.has(name)) queueMicrotask(begin);
      else this.queues.set(name, [...(this.queues.get(name) ?? []), begin]);
      if (!this.held.has(name)) this.held.set(name, { end: () => undefined });
    });
  }

  private next(name: string): void {
    this.held.delete(name);
    this.queues.get(name)?.shift()?.();
  }
}
