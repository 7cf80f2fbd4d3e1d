/** What a page shows of a session's shared draft. */

import type { LiveError } from "@hanzo/live-client";

/** One's own text that is in no draft. */
export interface Aside {
  readonly text: string;
  /** Why the server did not take it; null where its draft was posted meanwhile, and the next one is in use. */
  readonly error: LiveError | null;
}

export interface DraftState {
  readonly text: string;
  /** Counts the drafts that this page has shown: places in the text belong to one of them. */
  readonly copy: number;
  /** False until the server's draft is here. */
  readonly isReady: boolean;
  /** True while the server lacks some of what one wrote. */
  readonly isPending: boolean;
  /** From Send on until it is known whether the draft was posted. */
  readonly isSending: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Why the last edit or Send was refused; null again with the next edit. */
  readonly error: LiveError | null;
  /** The draft was posted while one was away: what one had written is in the present one. */
  readonly isCarried: boolean;
  readonly aside: Aside | null;
}

export const EMPTY_DRAFT: DraftState = {
  text: "",
  copy: 0,
  isReady: false,
  isPending: false,
  isSending: false,
  canUndo: false,
  canRedo: false,
  error: null,
  isCarried: false,
  aside: null,
};
