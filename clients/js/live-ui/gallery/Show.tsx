/** The frame of each component in the gallery. */

import type { ReactElement, ReactNode } from "react";

/** One component. */
export function Show({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <section className="show" id={name}>
      <h2>{name}</h2>
      <div className="states">{children}</div>
    </section>
  );
}

/** One of its states. */
export function State({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <div className="state">
      <small>{name}</small>
      <div>{children}</div>
    </div>
  );
}
