/** What jsdom lacks of a browser. */

import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// Waiting is for conditions; the limit is only for what never comes, on a busy machine too.
configure({ asyncUtilTimeout: 8000 });

// jsdom has no style of a device: the tests' one has a mouse.
window.matchMedia = (query) =>
  Object.assign(new EventTarget(), { matches: query === "(hover: hover)", media: query }) as MediaQueryList;

// jsdom lays nothing out: no size ever changes.
globalThis.ResizeObserver = class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};

const dialog = HTMLDialogElement.prototype;
dialog.showModal = function (this: HTMLDialogElement) {
  this.setAttribute("open", "");
};
dialog.close = function (this: HTMLDialogElement) {
  this.removeAttribute("open");
};

afterEach(cleanup);
