/** One generation of a draft as this page has it: its text, what the server lacks of it, and which updates were heard. */

import { DraftDocument } from "./document";
import type { Written } from "./keeping";
import { UpdateNumbers } from "./numbers";
import { Outbox, type OutboxLink } from "./outbox";

export class DraftCopy {
  readonly document: DraftDocument;
  readonly outbox: Outbox;
  readonly numbers: UpdateNumbers;

  constructor(
    /** Null until the server told which one is open. */
    public generation: number | null,
    link: OutboxLink,
    onChange: () => void,
    onHole: () => void,
  ) {
    this.outbox = new Outbox(link);
    this.numbers = new UpdateNumbers(onHole);
    this.document = new DraftDocument((update) => this.outbox.add(update), onChange);
  }

  /** The text that the server is not known to have. */
  get written(): Written {
    const { document, outbox } = this;
    return {
      all: document.runsOf(outbox.all),
      maybeSent: document.runsOf(outbox.maybeSent),
      neverSent: document.runsOf(outbox.neverSent),
    };
  }

  destroy(): void {
    this.numbers.stop();
    this.document.destroy();
  }
}
