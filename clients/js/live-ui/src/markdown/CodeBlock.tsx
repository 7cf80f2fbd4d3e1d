/** Code in a message: its language, a way to copy it, and the text as it is. */

import { memo, type ReactElement } from "react";
import { CopyButton } from "../ui/CopyButton";

export const CodeBlock = memo(function CodeBlock({
  text,
  language,
}: {
  text: string;
  language: string;
}): ReactElement {
  return (
    <figure className="hl-code-block">
      <figcaption>
        <span>{language || "text"}</span>
        <CopyButton text={text} label="Copy code" />
      </figcaption>
      {/* Long lines scroll: the keyboard must be able to, too. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
});
