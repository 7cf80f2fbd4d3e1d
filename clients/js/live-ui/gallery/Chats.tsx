/** The whole chat: against a server that is named, else against one that plays a scene. */

import { HanzoLiveProvider } from "@hanzo/live";
import { useEffect, useRef, type ReactElement } from "react";
import { AIChat } from "../src";
import { Show, State } from "./Show";
import { PlayedSocket } from "./played-socket";

const server = new URLSearchParams(location.search).get("server");

export function Chats(): ReactElement {
  return (
    <Show name="AIChat">
      <State name="An answer with thoughts and a tool">
        <Frame say="How long is the Danube?">
          <AIChat streaming showThoughts enableTools />
        </Frame>
      </State>
      <State name="Nothing said yet">
        <Frame>
          <AIChat emptyText="Ask me about rivers." placeholder="Which river?" />
        </Frame>
      </State>
    </Show>
  );
}

function Frame({ say, children }: { say?: string; children: ReactElement }): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const field = place.current?.querySelector("textarea");
    if (say === undefined || !field || field.value !== "") return;
    type(field, say);
    // The field has to know its text before it can send it.
    requestAnimationFrame(() => field.form?.requestSubmit());
  }, [say]);
  const socket = server === null ? { WebSocket: PlayedSocket } : {};
  return (
    <div ref={place} className="frame">
      <HanzoLiveProvider url={server ?? "ws://localhost"} {...socket}>
        {children}
      </HanzoLiveProvider>
    </div>
  );
}

/** As a person would: React listens for the event. */
function type(field: HTMLTextAreaElement, text: string): void {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
