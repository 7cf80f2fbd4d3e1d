/** A text that is being written, as Markdown: only its end is parsed again when it grows. */

import { useLatestAnswer } from "@hanzo/live";
import { useEffect, useRef, type ReactElement } from "react";
import { Markdown } from "../markdown/Markdown";

interface ListeningProps {
  /** Hears what was added since the last time it was drawn. */
  onToken?: ((token: string) => void) | undefined;
}

export type StreamingTextProps = ListeningProps &
  (
    | {
        /** Shows the answer that was asked for last under the provider. */
        source: "hanzo-live";
      }
    | {
        source?: undefined;
        text: string;
        /** Shows a caret behind the last letter. */
        isStreaming?: boolean;
      }
  );

export function StreamingText(props: StreamingTextProps): ReactElement {
  if (props.source === "hanzo-live") return <LatestText onToken={props.onToken} />;
  return <Growing text={props.text} isStreaming={props.isStreaming ?? false} onToken={props.onToken} />;
}

function LatestText({ onToken }: ListeningProps): ReactElement {
  const { content, isStreaming } = useLatestAnswer();
  return <Growing text={content} isStreaming={isStreaming} onToken={onToken} />;
}

interface GrowingProps extends ListeningProps {
  text: string;
  isStreaming: boolean;
}

function Growing({ text, isStreaming, onToken }: GrowingProps): ReactElement {
  const told = useRef(text);
  useEffect(() => {
    const had = told.current;
    told.current = text;
    // A text that does not go on from the one before is another answer.
    const more = text.startsWith(had) ? text.slice(had.length) : text;
    if (more !== "") onToken?.(more);
  }, [text, onToken]);
  return (
    // Busy while it grows: a screen reader would read each letter.
    <div className="hl-streaming-text" aria-live="polite" aria-busy={isStreaming}>
      {(text !== "" || isStreaming) && <Markdown text={text} growing={isStreaming} />}
    </div>
  );
}
