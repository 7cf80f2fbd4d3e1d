/** Times as people say them. */

const STEPS: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [7 * 86_400, 86_400, "day"],
];

/** "just now", "5 minutes ago", "yesterday", "in 3 days", and a date for what is more than a week away. */
export function relativeTime(iso: string, now: number): string {
  const then = Date.parse(iso);
  const seconds = Math.round((then - now) / 1000);
  const away = Math.abs(seconds);
  if (away < 60) return seconds > 0 ? "in a minute" : "just now";
  for (const [limit, size, unit] of STEPS) {
    if (away < limit) {
      const count = Math.sign(seconds) * Math.floor(away / size);
      return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(count, unit);
    }
  }
  return new Date(then).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

/** "Today", "Yesterday", "Friday, November 20", and with its year what is not of this one: in the reader's zone. */
export function dayText(iso: string, now: number): string {
  const ago = dayNumber(now) - dayNumber(Date.parse(iso));
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  const then = new Date(iso);
  const isThisYear = then.getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? undefined : "numeric";
  return then.toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long", year });
}

/** Counts the days of the reader's calendar, whatever their clocks were put forward or back. */
export function dayNumber(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
}

/** "Friday, November 20, 2026 at 14:05": all that there is to say of a time, in the reader's zone. */
export function fullTime(iso: string): string {
  return new Date(iso).toLocaleString("en", { dateStyle: "full", timeStyle: "short", hourCycle: "h23" });
}

/** "14:05" of an ISO time, in the reader's zone. */
export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
