/** One's own prompt opened again. Enter asks it in its new words, as a new message; Escape leaves it as it was. */

import { useGrowing } from "@hanzo/live-ui";
import { useEffect, useState, type KeyboardEvent, type ReactElement } from "react";

interface EditPromptProps {
  content: string;
  onAsk: (content: string) => void;
  onCancel: () => void;
}

export function EditPrompt({ content, onAsk, onCancel }: EditPromptProps): ReactElement {
  const [text, setText] = useState(content);
  const field = useGrowing(text);
  const canAsk = text.trim() !== "";
  const ask = () => {
    if (canAsk) onAsk(text.trim());
  };

  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, [field]);

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word, its keys are its own.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      ask();
    } else if (event.key === "Escape") {
      event.preventDefault();
      // Elsewhere Escape stops the answer that is being written.
      event.stopPropagation();
      onCancel();
    }
  };

  return (
    <form
      className="edit-prompt"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={text}
        maxLength={200_000}
        aria-label="Edit the message"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="edit-prompt-foot">
        <span className="hl-muted">It is asked as a new message.</span>
        <button type="button" className="hl-button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="hl-button hl-button-primary" disabled={!canAsk}>
          Ask again
        </button>
      </div>
    </form>
  );
}
