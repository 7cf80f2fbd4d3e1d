/** Small signs of what happens. */

import type { ReactElement } from "react";
import { Avatar, CheckMark, Spinner, StreamingIndicator, TypingIndicator } from "../src";
import { Show } from "./Show";

const PICTURE =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="#8fb3c9"/><path d="M0 22c8-6 12 4 18-1s8-3 14-1v12H0z" fill="#35627d"/></svg>',
  );

export function Signs(): ReactElement {
  return (
    <>
      <Show name="Spinner, CheckMark">
        <div className="row">
          <Spinner />
          <CheckMark />
        </div>
      </Show>
      <Show name="StreamingIndicator, TypingIndicator">
        <div className="row">
          <StreamingIndicator />
          <TypingIndicator />
        </div>
      </Show>
      <Show name="Avatar">
        <div className="row">
          <Avatar name="Ada Lovelace" />
          <Avatar name="Grace Hopper" online />
          <Avatar name="Danube" src={PICTURE} />
          <Avatar name="Ada Lovelace" size="small" />
          <Avatar name="Danube" src={PICTURE} size="small" online />
        </div>
      </Show>
    </>
  );
}
