/** The frame of the list page: the product's name, who is signed in, and the way out. */

import type { ReactElement, ReactNode } from "react";
import type { PageConfig } from "../config";
import { csrfToken } from "../cookie";
import { Avatar } from "./Avatar";
import { Mark } from "./icons";

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
        <div className="shell-user">
          <Avatar user={config.user} size="small" />
          <span className="shell-name">{config.user.name}</span>
          <form method="post" action={config.urls.signOut}>
            <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
            <button type="submit" className="button-quiet">
              Sign out
            </button>
          </form>
        </div>
      </header>
      <main id="main" className="shell-main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
