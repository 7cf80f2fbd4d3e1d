/** How the connection is. */

import type { ConnectionState } from "@hanzo/live-client";
import { useCallback, useSyncExternalStore } from "react";
import { useClient } from "./provider";

/** How the connection is, for a page that shows it. */
export function useConnection(url?: string): ConnectionState {
  const client = useClient(url);
  const subscribe = useCallback((listener: () => void) => client.onConnection(listener), [client]);
  const read = useCallback(() => client.connectionState, [client]);
  return useSyncExternalStore(subscribe, read, read);
}
