/** Which addresses a link in a message may have: nothing that runs, and nothing that leaves the web or mail. */

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address, or an empty string where it is not allowed. Relative ones are not: a message has no place of its own. */
export function safeUrl(url: string): string {
  try {
    return ALLOWED.has(new URL(url).protocol) ? url : "";
  } catch {
    return "";
  }
}
