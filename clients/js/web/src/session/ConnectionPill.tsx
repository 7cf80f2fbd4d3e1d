/** How the connection is, in a word and a dot; where trying again helps, it is a button for that. */

import type { SessionState } from "@hanzo/live-client";
import { useEffect, useState, type ReactElement } from "react";
import { useIsOffline } from "./use-is-offline";

interface ConnectionPillProps {
  state: Pick<SessionState, "connection" | "status">;
  onReconnect: () => void;
  signIn: string;
}

export function ConnectionPill({ state, onReconnect, signIn }: ConnectionPillProps): ReactElement {
  const { connection, status } = state;
  const seconds = useSecondsUntil(connection.status === "waiting" ? connection.retryAt : null);
  const isOffline = useIsOffline(connection);
  if (connection.status === "ended" && connection.error.code === "UNAUTHENTICATED") {
    return (
      <a className="pill pill-bad" href={`${signIn}?next=${encodeURIComponent(location.pathname)}`}>
        Signed out. Sign in
      </a>
    );
  }
  if (status === "ended" || connection.status === "ended") return <Pill tone="bad" text="Access ended" />;
  if (isOffline) {
    return (
      <button
        type="button"
        className="pill pill-bad"
        onClick={onReconnect}
        title="It reconnects by itself when the network is back. Try now"
      >
        Offline
      </button>
    );
  }
  switch (connection.status) {
    case "live":
      return status === "loading" ? <Pill tone="busy" text="Loading" /> : <Pill tone="live" text="Live" />;
    case "waiting":
      return (
        <button type="button" className="pill pill-busy" onClick={onReconnect} title="Try now">
          {seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting"}
        </button>
      );
    case "offline":
      return (
        <button type="button" className="pill pill-bad" onClick={onReconnect}>
          Offline. Try again
        </button>
      );
    default:
      return (
        <Pill
          tone="busy"
          text={connection.status === "connecting" && connection.attempt > 0 ? "Reconnecting" : "Connecting"}
        />
      );
  }
}

function Pill({ tone, text }: { tone: "live" | "busy" | "bad"; text: string }): ReactElement {
  return (
    <span className={`pill pill-${tone}`} role="status">
      <span className="pill-text">{text}</span>
    </span>
  );
}

function useSecondsUntil(moment: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (moment === null) return undefined;
    const tick = () => setNow(Date.now());
    const first = setTimeout(tick, 0);
    const timer = setInterval(tick, 500);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [moment]);
  return moment === null ? 0 : Math.max(0, Math.ceil((moment - now) / 1000));
}
