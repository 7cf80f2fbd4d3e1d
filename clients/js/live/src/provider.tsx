/** The client that hooks share. Hooks also work without a provider: each then has a client of its own. */

import { HanzoLiveClient, type HanzoLiveClientOptions } from "@hanzo/live-client";
import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useState,
  type ReactElement,
  type ReactNode,
} from "react";
import { LatestAnswer } from "./latest-answer";

interface Shared {
  client: HanzoLiveClient;
  url: string | undefined;
  latest: LatestAnswer;
}

const ClientContext = createContext<Shared | null>(null);

export interface HanzoLiveProviderProps extends HanzoLiveClientOptions {
  /** A client made elsewhere; the other options are then its own. */
  client?: HanzoLiveClient;
  children: ReactNode;
}

/** Gives one connection to all hooks below it. Options are read once; a changed `url` makes a new client. */
export function HanzoLiveProvider({
  client: given,
  children,
  ...options
}: HanzoLiveProviderProps): ReactElement {
  const { url } = options;
  const [first] = useState(options);
  const client = useMemo(() => given ?? new HanzoLiveClient({ ...first, url }), [given, first, url]);
  useEffect(() => (given ? undefined : () => client.disconnect()), [given, client]);
  const shared = useMemo(() => ({ client, url, latest: new LatestAnswer() }), [client, url]);
  return <ClientContext.Provider value={shared}>{children}</ClientContext.Provider>;
}

/** The provider's client, or one of the caller's own where there is no provider or `url` is another. */
export function useClient(url?: string): HanzoLiveClient {
  return useShared(url).client;
}

/** The client, and the answers that are asked for with it. */
export function useShared(url?: string): Shared {
  const shared = useContext(ClientContext);
  const wanted = shared && (url === undefined || url === shared.url) ? shared : null;
  const own = useMemo<Shared | null>(
    () => (wanted ? null : { client: new HanzoLiveClient({ url }), url, latest: new LatestAnswer() }),
    [wanted, url],
  );
  useEffect(() => (own ? () => own.client.disconnect() : undefined), [own]);
  return (wanted ?? own) as Shared;
}
