/** Above the message field while an answer is written: how far it is, how fast, and the way to stop it. */

import { LiveError, type SessionStore } from "@hanzo/live-client";
import { ProgressBar, StopSquare } from "@hanzo/live-ui";
import { useState, type ReactElement } from "react";
import { amountText, leftText, phaseText, speedText } from "./phase";
import { Queue } from "./Queue";
import type { SessionView } from "./view";

interface LiveBarProps {
  view: SessionView;
  me: string;
  /** Without it, nothing is known of the answer since then. */
  isConnected: boolean;
  canStop: boolean;
  store: SessionStore;
}

export function LiveBar({ view, me, isConnected, canStop, store }: LiveBarProps): ReactElement | null {
  const [failed, setFailed] = useState<{ stream: string; message: string } | null>(null);
  const current = view.writing[0];
  const stream = current?.message.stream;
  if (!current || !stream) return null;
  const stop = () => {
    setFailed(null);
    store
      .stop(stream)
      .catch((reason: unknown) => setFailed({ stream, message: LiveError.from(reason).message }));
  };
  const facts = isConnected
    ? [
        phaseText(current),
        amountText(current.stream),
        speedText(current.stream?.tokensPerSecond),
        leftText(current.stream?.etaS),
      ]
    : ["Not connected"];
  const percent = isConnected ? (current.stream?.percent ?? null) : null;
  return (
    <>
      <Queue view={view} me={me} isConnected={isConnected} canStop={canStop} store={store} />
      <div className="live-bar">
        <span className={isConnected ? "live-dot" : "live-dot live-dot-off"} aria-hidden="true" />
        <span className="live-facts">{facts.filter(Boolean).join(" · ")}</span>
        {percent !== null && (
          <ProgressBar className="live-progress" value={percent} label="How far the answer is" />
        )}
        {failed?.stream === stream && (
          <span className="hl-error" role="alert">
            {failed.message}
          </span>
        )}
        {canStop && (
          <button type="button" className="hl-button stop-button" disabled={!isConnected} onClick={stop}>
            <StopSquare />
            Stop
            <kbd>Esc</kbd>
          </button>
        )}
      </div>
    </>
  );
}
