/** An invitation's link, which nobody can look up later, and a way to copy it. */

import type { ReactElement } from "react";
import { CopyButton } from "../ui/CopyButton";

export function ShownOnce({ url }: { url: string }): ReactElement {
  return (
    <div className="hl-shown-once">
      <div className="hl-shown-once-link">
        <input
          readOnly
          value={url}
          aria-label="Link of the invitation"
          onFocus={(event) => event.target.select()}
        />
        <CopyButton text={url} label="Copy the invitation's link" />
      </div>
      <p className="hl-field-help">It is shown this once. Whoever has it can join.</p>
    </div>
  );
}
