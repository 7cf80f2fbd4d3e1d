/** What the server tells the page about who is looking at it: the JSON in `<script id="live-config">`. */

import type { User } from "@hanzo/live-client";

export interface PageConfig {
  user: User & { email?: string };
  version: string;
  /** The model that is asked where a session names none; null where the node decides. */
  model: string | null;
  /** The id of the session that the address names; null on other pages. An address may change, an id does not. */
  session: string | null;
  urls: {
    home: string;
    signOut: string;
    signIn: string;
    profile: string;
    tokens: string;
    /** Null for those who do not administer the server. */
    admin: string | null;
  };
}

interface RawConfig {
  user?: (User & { email?: string }) | null;
  version?: string;
  model?: string | null;
  session?: { id: string } | null;
  urls?: Record<string, string | null | undefined>;
}

/** Throws where the page came without it: the app cannot know for whom it runs. */
export function readConfig(document: Document): PageConfig {
  const text = document.getElementById("live-config")?.textContent;
  if (!text) throw new Error("The page has no live-config. It must be served by Hanzo Live.");
  const { user, version, model, session, urls = {} } = JSON.parse(text) as RawConfig;
  if (!user) throw new Error("The page's live-config names no user.");
  return {
    user,
    version: version ?? "",
    model: model ?? null,
    session: session?.id ?? null,
    urls: {
      home: urls["home"] ?? "/",
      signOut: urls["sign_out"] ?? "/accounts/logout/",
      signIn: urls["sign_in"] ?? "/accounts/login/",
      profile: urls["profile"] ?? "/accounts/profile/",
      tokens: urls["tokens"] ?? "/accounts/tokens/",
      admin: urls["admin"] ?? null,
    },
  };
}
