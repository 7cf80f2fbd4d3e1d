/** Whether a page that has lost its server is without any network, as far as the device can tell. */

import type { ConnectionState } from "@hanzo/live-client";
import { useSyncExternalStore } from "react";

/** Never while connected: a server on the same machine needs no network. */
export function useIsOffline(connection: ConnectionState): boolean {
  const hasNetwork = useSyncExternalStore(watchNetwork, () => navigator.onLine);
  const comesBack =
    connection.status === "waiting" || (connection.status === "connecting" && connection.attempt > 0);
  return comesBack && !hasNetwork;
}

function watchNetwork(onChange: () => void): () => void {
  window.addEventListener("online", onChange);
  window.addEventListener("offline", onChange);
  return () => {
    window.removeEventListener("online", onChange);
    window.removeEventListener("offline", onChange);
  };
}
