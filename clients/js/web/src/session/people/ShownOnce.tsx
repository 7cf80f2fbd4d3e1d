/** An invitation's link, which nobody can look up later, and a way to copy it. */

import { CopyButton } from "@hanzo/live-ui";
import type { ReactElement } from "react";

export function ShownOnce({ url }: { url: string }): ReactElement {
  return (
    <div className="shown-once">
      <div className="shown-once-link">
        <input
          readOnly
          value={url}
          aria-label="Link of the invitation"
          onFocus={(event) => event.target.select()}
        />
        <CopyButton text={url} label="Copy the invitation's link" />
      </div>
      <p className="field-help">It is shown this once. Whoever has it can join.</p>
    </div>
  );
}
