/** The tools that an answer used: what was asked, and what came back. */

import type { ToolCallState, ToolStatus } from "@hanzo/live-client";
import type { ReactElement } from "react";
import { Wrench } from "../ui/icons";

const STATUS: Record<ToolStatus, string> = {
  streaming: "Being written",
  awaiting_approval: "Waits for approval",
  awaiting_client: "Waits for a client",
  running: "Running",
  complete: "Done",
  failed: "Failed",
  denied: "Denied",
};

const OPEN: ReadonlySet<ToolStatus> = new Set([
  "streaming",
  "awaiting_approval",
  "awaiting_client",
  "running",
]);

/** `isOver`: the answer has ended, and what has not run will not. */
export function ToolCalls({
  calls,
  isOver,
}: {
  calls: readonly ToolCallState[];
  isOver: boolean;
}): ReactElement {
  return (
    <ul className="tool-calls" aria-label="Tools used">
      {calls.map((call) => (
        <li key={call.call} className={`tool-call tool-call-${call.status}`}>
          <details>
            <summary>
              <Wrench />
              <code>{call.tool || "tool"}</code>
              <span className="tool-call-status">
                {isOver && OPEN.has(call.status) ? "Not run" : STATUS[call.status]}
              </span>
            </summary>
            <pre tabIndex={0}>{call.args === null ? call.args_text : JSON.stringify(call.args, null, 2)}</pre>
            {call.error !== null && <p className="error">{call.error}</p>}
            {call.result !== null && call.result !== undefined && (
              <pre tabIndex={0}>
                {typeof call.result === "string" ? call.result : JSON.stringify(call.result, null, 2)}
              </pre>
            )}
          </details>
        </li>
      ))}
    </ul>
  );
}
