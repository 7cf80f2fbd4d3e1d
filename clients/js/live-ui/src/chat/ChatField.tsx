/** Where the next thing is said. Enter sends it, Shift+Enter begins a line, Escape stops the answer. */

import { useState, type KeyboardEvent, type ReactElement } from "react";
import { ArrowUp, StopSquare } from "../ui/icons";
import { useGrowing } from "../ui/use-growing";

interface ChatFieldProps {
  placeholder: string;
  isStreaming: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
}

export function ChatField({ placeholder, isStreaming, onSend, onStop }: ChatFieldProps): ReactElement {
  const [text, setText] = useState("");
  const field = useGrowing(text);
  const isEmpty = text.trim() === "";
  const send = () => {
    if (isEmpty || isStreaming) return;
    setText("");
    onSend(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape" && isStreaming) onStop();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };
  return (
    <form
      className="hl-chat-foot hl-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="hl-composer-box">
        <div className="hl-composer-field">
          <textarea
            ref={field}
            className="hl-composer-text"
            rows={1}
            aria-label="Message"
            placeholder={placeholder}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        {isStreaming ? (
          <button type="button" className="hl-send-button" aria-label="Stop" onClick={onStop}>
            <StopSquare />
          </button>
        ) : (
          <button type="submit" className="hl-send-button" aria-label="Send" disabled={isEmpty}>
            <ArrowUp />
          </button>
        )}
      </div>
    </form>
  );
}
