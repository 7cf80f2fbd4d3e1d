/** The frame of the list page: the product's name, and the menu of who is signed in. */

import { csrfToken } from "@hanzo/live-client";
import { Avatar, Chevron, Mark } from "@hanzo/live-ui";
import { useRef, type ReactElement, type ReactNode } from "react";
import type { PageConfig } from "../config";
import { useThemeItem } from "../theme/theme-item";
import { Menu } from "./Menu";

export function Brand({ home }: { home: string }): ReactElement {
  return (
    <a className="brand" href={home}>
      <Mark />
      Hanzo Live
    </a>
  );
}

export function Shell({ config, children }: { config: PageConfig; children: ReactNode }): ReactElement {
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="shell-head">
        <Brand home={config.urls.home} />
        <AccountMenu config={config} />
      </header>
      <main id="main" className="shell-main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function AccountMenu({ config }: { config: PageConfig }): ReactElement {
  const { user, urls } = config;
  const signOut = useRef<HTMLFormElement>(null);
  const theme = useThemeItem();
  return (
    <>
      <Menu
        label={`Account of ${user.name}`}
        className="account-button"
        items={[
          { kind: "link", label: "Profile", href: urls.profile },
          { kind: "link", label: "API tokens", href: urls.tokens },
          urls.admin !== null && { kind: "link", label: "Administration", href: urls.admin },
          { kind: "line" },
          theme,
          { kind: "line" },
          { kind: "action", label: "Sign out", onSelect: () => signOut.current?.requestSubmit() },
        ]}
      >
        <Avatar src={user.avatar} name={user.name} size="small" />
        <bdi className="shell-name">{user.name}</bdi>
        <span className="menu-chevron">
          <Chevron />
        </span>
      </Menu>
      <form ref={signOut} method="post" action={urls.signOut} hidden>
        <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
      </form>
    </>
  );
}
