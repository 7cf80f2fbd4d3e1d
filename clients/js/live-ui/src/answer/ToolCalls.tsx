/** The tools that an answer used: what was asked, what came back, and what waits for somebody to approve it. */

import { LiveError, type ToolCallState, type ToolProgress, type ToolStatus } from "@hanzo/live-client";
import { useState, type ReactElement } from "react";
import { Wrench } from "../ui/icons";
import { ProgressBar } from "../ui/ProgressBar";

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

export type DecideTool = (call: string, approved: boolean) => Promise<void>;

interface DecidingProps {
  /** The answer has ended, and what has not run will not. */
  isOver?: boolean;
  /** Approves or denies; null for whoever may not. */
  decide?: DecideTool | null;
}

export interface ToolCallsProps extends DecidingProps {
  calls: readonly ToolCallState[];
  /** How far those that run say they are. */
  told?: readonly ToolProgress[];
}

export function ToolCalls({ calls, told = [], ...deciding }: ToolCallsProps): ReactElement {
  return (
    <ul className="hl-tool-calls" aria-label="Tools used">
      {calls.map((call) => (
        <li key={call.call}>
          <ToolCall call={call} told={told.find((each) => each.call === call.call)} {...deciding} />
        </li>
      ))}
    </ul>
  );
}

export interface ToolCallProps extends DecidingProps {
  call: ToolCallState;
  /** How far it says it is, while it runs. */
  told?: ToolProgress | undefined;
}

export function ToolCall({ call, told, isOver = false, decide = null }: ToolCallProps): ReactElement {
  const waits = !isOver && call.status === "awaiting_approval";
  return (
    <div className={`hl-tool-call hl-tool-call-${call.status}`}>
      <details open={waits || undefined}>
        <summary>
          <Wrench />
          <code>{call.tool || "tool"}</code>
          <span className="hl-tool-call-status">{statusOf(call, isOver)}</span>
        </summary>
        <pre tabIndex={0}>{call.args === null ? call.args_text : JSON.stringify(call.args, null, 2)}</pre>
        {call.error !== null && <p className="hl-error">{call.error}</p>}
        {call.result !== null && call.result !== undefined && (
          <pre tabIndex={0}>
            {typeof call.result === "string" ? call.result : JSON.stringify(call.result, null, 2)}
          </pre>
        )}
      </details>
      {told && !isOver && <Telling told={told} />}
      {waits && <Decision call={call} decide={decide} />}
    </div>
  );
}

/** What a running tool tells of itself: its words, and how far it is where it knows how far it will come. */
function Telling({ told }: { told: ToolProgress }): ReactElement {
  const percent = told.total === null ? null : Math.round(Math.min(100, (100 * told.progress) / told.total));
  return (
    <div className="hl-tool-call-telling">
      {told.message !== null && <span className="hl-tool-call-words">{told.message}</span>}
      {percent !== null && (
        <>
          <ProgressBar className="hl-tool-call-far" value={percent} label="How far the tool is" />
          <span>{percent} %</span>
        </>
      )}
    </div>
  );
}

function Decision({ call, decide }: { call: ToolCallState; decide: DecideTool | null }): ReactElement {
  const [isSent, setSent] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  if (decide === null) return <p className="hl-muted">A member who may write has to approve this call.</p>;
  const answer = (approved: boolean) => {
    setSent(true);
    setTrouble(null);
    decide(call.call, approved).catch((reason: unknown) => {
      setSent(false);
      setTrouble(LiveError.from(reason).message);
    });
  };
  return (
    <div className="hl-tool-call-decision" role="group" aria-label={`May ${call.tool || "this tool"} run?`}>
      <p>May it run?</p>
      <button type="button" className="hl-button" disabled={isSent} onClick={() => answer(false)}>
        Deny
      </button>
      <button type="button" className="hl-button hl-button-primary" disabled={isSent} onClick={() => answer(true)}>
        Approve
      </button>
      {trouble !== null && (
        <p className="hl-error" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}

function statusOf({ status, user }: ToolCallState, isOver: boolean): string {
  if (isOver && OPEN.has(status)) return "Not run";
  if (user === null) return STATUS[status];
  return status === "denied" ? `Denied by ${user.name}` : `${STATUS[status]}, approved by ${user.name}`;
}
