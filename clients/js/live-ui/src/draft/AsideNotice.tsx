/** What one wrote and is in no draft: because that draft was sent meanwhile, or the server did not take it. */

import type { Aside, DraftStore } from "@hanzo/live";
import type { ReactElement } from "react";
import { CopyButton } from "../ui/CopyButton";

interface AsideNoticeProps {
  aside: Aside;
  draft: DraftStore;
  canWrite: boolean;
}

export function AsideNotice({ aside, draft, canWrite }: AsideNoticeProps): ReactElement {
  const { text, error } = aside;
  return (
    <div className="hl-aside" role="status">
      <p>{error ? error.message : "The draft was sent while you were away. You had written more in it:"}</p>
      <blockquote className="hl-aside-text" tabIndex={0} aria-label="What you had written">
        {text}
      </blockquote>
      <div className="hl-aside-actions">
        {canWrite && (
          <button type="button" className="hl-button" onClick={() => draft.insertAside()}>
            Add to the draft
          </button>
        )}
        <CopyButton text={text} label="Copy what you had written" />
        <button type="button" className="hl-button-quiet" onClick={() => draft.discardAside()}>
          Discard
        </button>
      </div>
    </div>
  );
}
