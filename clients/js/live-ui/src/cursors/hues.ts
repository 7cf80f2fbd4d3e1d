/** A colour for each person in a session: the same for all who look, and not that of anybody else where it can be helped. */

/** So many can be told apart. */
const COLOURS = 12;

/** The hue of each id, in degrees around the circle of colours. Whoever was there first keeps theirs. */
export function huesOf(ids: readonly string[]): Map<string, number> {
  const hues = new Map<string, number>();
  let taken = new Set<number>();
  for (const id of ids) {
    if (taken.size === COLOURS) taken = new Set();
    let colour = hashOf(id) % COLOURS;
    while (taken.has(colour)) colour = (colour + 5) % COLOURS; // 5 reaches them all, and none that is next to it first
    taken.add(colour);
    hues.set(id, (colour * 360) / COLOURS);
  }
  return hues;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
