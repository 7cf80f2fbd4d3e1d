/** The few icons of the app, drawn on a 16 px grid. They are decoration: the control says what it does. */

import type { ReactElement, ReactNode } from "react";

function Icon({ children }: { children: ReactNode }): ReactElement {
  return (
    <svg
      className="hl-icon"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const ArrowUp = () => (
  <Icon>
    <path d="M8 13V3.5M3.75 7.5 8 3.25l4.25 4.25" />
  </Icon>
);
export const ArrowDown = () => (
  <Icon>
    <path d="M8 3v9.5M3.75 8.5 8 12.75l4.25-4.25" />
  </Icon>
);
export const ArrowLeft = () => (
  <Icon>
    <path d="M13 8H3.5M7.5 3.75 3.25 8l4.25 4.25" />
  </Icon>
);
export const Chevron = () => (
  <Icon>
    <path d="m6 3.75 4.25 4.25L6 12.25" />
  </Icon>
);
export const Plus = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);
export const Close = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);
export const Copy = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="2" />
    <path d="M10.5 5.5v-1a2 2 0 0 0-2-2h-4a2 2 0 0 0-2 2v4a2 2 0 0 0 2 2h1" />
  </Icon>
);
export const Check = () => (
  <Icon>
    <path d="m3.5 8.5 3 3 6-7" />
  </Icon>
);
export const Retry = () => (
  <Icon>
    <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.75h-2.75" />
  </Icon>
);
export const People = () => (
  <Icon>
    <circle cx="6" cy="5.5" r="2.5" />
    <path d="M1.75 13c.4-2.3 2.1-3.5 4.25-3.5s3.85 1.2 4.25 3.5M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.9c1.3.5 2.1 1.6 2.35 3.1" />
  </Icon>
);
export const Wrench = () => (
  <Icon>
    <path d="M10.2 2.6a3.2 3.2 0 0 0-3.5 4.5l-4 4a1.5 1.5 0 0 0 2.2 2.2l4-4a3.2 3.2 0 0 0 4.4-3.6L11.4 7.5 9 7l-.5-2.4z" />
  </Icon>
);
export const StopSquare = () => (
  <svg className="hl-icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
    <rect x="4" y="4" width="8" height="8" rx="1.5" fill="currentColor" />
  </svg>
);
/** The mark of the product: three lines arriving one after another. */
export const Mark = () => (
  <Icon>
    <path d="M3 4.5h10M3 8h6.5M3 11.5h3.5" />
    <path d="M12 9.5v4" strokeWidth="2" />
  </Icon>
);
export const More = () => (
  <svg className="hl-icon" width="16" height="16" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
    <circle cx="3.25" cy="8" r="1.25" />
    <circle cx="8" cy="8" r="1.25" />
    <circle cx="12.75" cy="8" r="1.25" />
  </svg>
);
export const Search = () => (
  <Icon>
    <circle cx="7" cy="7" r="4" />
    <path d="m10 10 3.5 3.5" />
  </Icon>
);
