/** Tool calls, and how far things are. */

import type { ToolCallState } from "@hanzo/live-client";
import type { ReactElement } from "react";
import { ErrorMessage, ProgressBar, ToolCalls } from "../src";
import { Show, State } from "./Show";

const call = (fields: Partial<ToolCallState>): ToolCallState => ({
  call: fields.tool ?? "c1",
  tool: "search_web",
  args: { query: "length of the Danube" },
  args_text: "",
  status: "complete",
  user: null,
  result: null,
  error: null,
  duration_ms: null,
  ...fields,
});

const grace = { id: "u-grace", name: "Grace Hopper", avatar: null };

export function Tools(): ReactElement {
  return (
    <>
      <Show name="ToolCall">
        <State name="In all its states">
          <ToolCalls
            calls={[
              call({ tool: "search_web", status: "running" }),
              call({ tool: "read_page", result: "2,850 km" }),
              call({ tool: "translate", status: "failed", error: "The dictionary is closed." }),
              call({ tool: "send_mail", status: "denied", user: grace }),
              call({ tool: "delete_file", status: "awaiting_approval", args: { name: "old-notes.txt" } }),
            ]}
            decide={() => new Promise(() => undefined)}
          />
        </State>
      </Show>
      <Show name="ProgressBar">
        <State name="At 38 of 100">
          <ProgressBar value={38} />
        </State>
        <State name="While nobody can tell">
          <ProgressBar indeterminate />
        </State>
        <State name="Done">
          <ProgressBar value={100} />
        </State>
      </Show>
      <Show name="ErrorMessage">
        <State name="That may go away">
          <ErrorMessage
            error={{ message: "The model's server cannot be reached. Try again in a minute." }}
            onRetry={() => undefined}
          />
        </State>
        <State name="That does not">
          <ErrorMessage error={{ message: "The conversation is longer than the model can read. Begin a new one." }} />
        </State>
      </Show>
    </>
  );
}
