/** Why a session cannot be had, or not any more, and where to go. */

import type { LiveError } from "@hanzo/live-client";
import type { ReactElement } from "react";
import type { PageConfig } from "../config";

export function EndedNotice({
  error,
  config,
}: {
  error: LiveError | null;
  config: PageConfig;
}): ReactElement {
  const missing = error?.code === "NOT_FOUND";
  return (
    <div id="ended" className="ended" role="alert" tabIndex={-1}>
      <h2>{missing ? "There is no such session here" : "Access ended"}</h2>
      <p className="hl-muted">
        {missing
          ? "It does not exist, or you are not a member of it. Ask its owner to add you."
          : (error?.message ?? "You can no longer see what is said here.")}
      </p>
      <a className="hl-button" href={config.urls.home}>
        All sessions
      </a>
    </div>
  );
}
