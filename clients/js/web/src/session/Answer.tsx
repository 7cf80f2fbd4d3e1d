/** What a model says: while it is written, when it is finished, and where it failed. */

import { isOver, type StreamFailure } from "@hanzo/live-client";
import { Avatar, Mark, Markdown, Retry, Thoughts, ToolCalls } from "@hanzo/live-ui";
import { memo, type ReactElement } from "react";
import { modelName } from "../api/use-models";
import type { AnswerFacts, ModelInfo } from "../api/resources";
import { Clock } from "../ui/Clock";
import { anchorOf, MessageActions, type MessageVerbs } from "./MessageActions";
import { failureOf, partsOf } from "./parts";
import { phaseText, speedText, tokensText } from "./phase";
import type { MessageView } from "./view";

const LEAST_MS = 100;

interface AnswerProps {
  view: MessageView;
  /** How it went, where that was before the page was opened. */
  before: AnswerFacts | null;
  models: readonly ModelInfo[];
  /** The name of the session's model, for answers whose own is not known any more. */
  model: string | null;
  canWrite: boolean;
  /** The page's address names this message. */
  isLinked: boolean;
  verbs: MessageVerbs;
  /** Asks again what was asked before message `n`. */
  onRetry: (n: number) => void;
  /** Approves or denies a tool call of a stream. */
  onDecide: (stream: string, call: string, approved: boolean) => Promise<void>;
}

export const Answer = memo(function Answer({
  view,
  before,
  models,
  model,
  canWrite,
  isLinked,
  verbs,
  onRetry,
  onDecide,
}: AnswerProps): ReactElement {
  const { message, stream, isWriting, isFinished } = view;
  const { thoughts, thoughtMs, toolCalls } = partsOf(view);
  const ran = stream?.model ?? before?.model;
  const text = isFinished ? message.content : (stream?.content ?? "");
  const isThinking = isWriting && stream?.phase === "thinking";
  return (
    <article
      id={anchorOf(message)}
      className={isLinked ? "answer linked" : "answer"}
      aria-busy={isWriting}
      aria-label="Answer"
      tabIndex={-1}
    >
      <header className="answer-head">
        <span className="answer-mark">
          <Mark />
        </span>
        <span className="answer-model">
          {ran ? modelName(models, ran) : (model ?? "Answer")}
        </span>
        {message.user && (
          <span className="answer-for">
            for
            <Avatar src={message.user.avatar} name={message.user.name} size="small" />
            <span>{message.user.name}</span>
          </span>
        )}
        <Clock at={message.created_at} />
      </header>
      {thoughts.length > 0 && (
        <Thoughts thoughts={thoughts} isThinking={isThinking} isOpen={isThinking && text === ""} thoughtMs={thoughtMs} />
      )}
      {toolCalls.length > 0 && (
        <ToolCalls
          calls={toolCalls}
          told={stream?.toolProgress ?? []}
          isOver={!isWriting}
          decide={canWrite && stream ? (call, approved) => onDecide(stream.id, call, approved) : null}
        />
      )}
      {text !== "" && <Markdown text={text} growing={isWriting} />}
      {isWriting && text === "" && !isThinking && (
        <p className="answer-phase">
          <span className="caret" aria-hidden="true" />
          {phaseText(view)}
        </p>
      )}
      {isFinished && <AnswerFoot view={view} before={before} canWrite={canWrite} verbs={verbs} onRetry={onRetry} />}
    </article>
  );
});

type FootProps = Omit<AnswerProps, "models" | "model" | "isLinked" | "onDecide">;

function AnswerFoot({ view, before, canWrite, verbs, onRetry }: FootProps): ReactElement {
  const { message } = view;
  const retry = canWrite && (
    <button type="button" className="hl-button-quiet" onClick={() => onRetry(message.n)}>
      <Retry />
      Retry
    </button>
  );
  if (message.status === "failed") {
    const failure = failureOf(view);
    const mayHelp = failure?.retryable ?? true;
    return (
      <div className="hl-notice hl-notice-error" role="alert">
        <p>{failure?.message ?? "This answer failed. Ask again."}</p>
        {mayHelp ? retry : canWrite && <p>{insteadOf(failure?.code)}</p>}
      </div>
    );
  }
  return (
    <footer className="answer-foot">
      <MessageActions message={message} verbs={verbs} copies="Copy answer" />
      {message.status === "stopped" && retry}
      <span className="answer-facts">{facts(view, before)}</span>
    </footer>
  );
}

/** What to do where the same question would fail again. */
function insteadOf(code: StreamFailure["code"] | undefined): string {
  switch (code) {
    case "context_length":
      return "Asking the same again will not help: ask something shorter, or go on in a new session.";
    case "content_filtered":
      return "Asking the same again will not help: ask it in other words.";
    default:
      return "Asking the same again will not help until this is put right.";
  }
}

function facts({ message, stream }: MessageView, before: AnswerFacts | null): string {
  const { status, finish_reason: finish } = message;
  const stoppedBy = stream ? stream.stoppedBy : before?.stopped_by;
  const said: string[] = [];
  if (status === "stopped" && message.content === "" && message.parts.length === 0)
    said.push("Stopped before it began");
  else if (status === "stopped") said.push(stoppedBy ? `Stopped by ${stoppedBy.name}` : "Stopped");
  if (finish === "length") said.push("Cut at the longest allowed answer");
  if (finish === "content_filter") said.push("Cut by the content filter");
  if (stream ? isOver(stream.status) : before) {
    if (stream ? stream.cached : before?.cached) said.push("From the cache");
    const usage = stream ? stream.usage : before?.usage;
    if (usage) said.push(tokensText(usage.completion_tokens));
    const speed = speedText(stream ? stream.tokensPerSecond : before?.timings?.tokens_per_second);
    const durationMs = stream ? stream.durationMs : before?.timings?.duration_ms;
    // Of an answer that came at once, a speed tells nothing.
    if (speed && (durationMs ?? 0) >= LEAST_MS) said.push(speed);
  }
  return said.join(" · ");
}
