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

/** "14:05" of an ISO time, in the reader's zone. */
export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
}
