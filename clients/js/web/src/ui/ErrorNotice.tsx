/** What went wrong, and a way to try again. */

import type { LiveError } from "@hanzo/live-client";
import type { ReactElement } from "react";
import { Retry } from "./icons";

export function ErrorNotice({ error, onRetry }: { error: LiveError; onRetry: () => void }): ReactElement {
  return (
    <div className="notice notice-error" role="alert">
      <p>{error.message}</p>
      <button type="button" className="button" onClick={onRetry}>
        <Retry />
        Retry
      </button>
    </div>
  );
}
