/** What went wrong, in words, and a way to try again. */

import type { ReactElement } from "react";
import { Retry } from "./icons";

export interface ErrorMessageProps {
  /** A LiveError, or anything else that says what went wrong. */
  error: { message: string };
  /** Tries again; without it there is no button. */
  onRetry?: (() => unknown) | undefined;
}

export function ErrorMessage({ error, onRetry }: ErrorMessageProps): ReactElement {
  return (
    <div className="hl-notice hl-notice-error" role="alert">
      <p>{error.message}</p>
      {onRetry && (
        <button type="button" className="hl-button" onClick={() => void onRetry()}>
          <Retry />
          Retry
        </button>
      )}
    </div>
  );
}
