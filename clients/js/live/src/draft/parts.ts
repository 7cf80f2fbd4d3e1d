/** Updates that are larger than the server takes at once, as several: undoing can write a long text in one go. */

import { writeVarUint } from "lib0/encoding";
import * as Y from "yjs";
import { pieces } from "./text-change";

/** The server takes 64 KiB. */
export const MAX_UPDATE_BYTES = 56_000;
/** Of which no character takes more than three bytes. */
export const PART_UNITS = 12_000;

/** Updates that together do what `update` does, none too large. Their order counts. */
export function inParts(update: Uint8Array): Uint8Array[] {
  if (update.length <= MAX_UPDATE_BYTES) return [update];
  const parts = Y.decodeUpdate(update).structs.flatMap((struct) =>
    struct instanceof Y.Item ? itemParts(struct).map(updateOf) : [],
  );
  const { to } = Y.parseUpdateMeta(update);
  const deletions = Y.diffUpdate(update, Y.encodeStateVector(to));
  return [...parts, deletions];
}

/** As splitting it in place would: each piece follows the one before it. */
function itemParts(item: Y.Item): Y.Item[] {
  if (!(item.content instanceof Y.ContentString)) return [item];
  const { client, clock } = item.id;
  let done = 0;
  return pieces(item.content.str, PART_UNITS).map((text) => {
    const origin = done === 0 ? item.origin : Y.createID(client, clock + done - 1);
    const id = Y.createID(client, clock + done);
    done += text.length;
    const content = new Y.ContentString(text);
    // Yjs' kinds of content have a shape in common, and no class.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    return new Y.Item(id, null, origin, null, item.rightOrigin, item.parent, null, content);
  });
}

function updateOf(item: Y.Item): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  const { client, clock } = item.id;
  writeVarUint(encoder.restEncoder, 1);
  writeVarUint(encoder.restEncoder, 1);
  encoder.writeClient(client);
  writeVarUint(encoder.restEncoder, clock);
  item.write(encoder, 0);
  writeVarUint(encoder.restEncoder, 0);
  return encoder.toUint8Array();
}
