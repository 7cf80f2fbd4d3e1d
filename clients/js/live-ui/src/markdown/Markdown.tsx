/**
 * A message's text as React elements. Nothing in it becomes HTML by itself: raw HTML is shown as text, images as links,
 * and links go to http, https and mailto only.
 */

import { memo, useState, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkBreaks from "remark-breaks";
import remarkGfm from "remark-gfm";
import { BlockSplitter, splitWhole } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { safeUrl } from "./links";

// Breaks: models and people end a line where they want a new one.
const PLUGINS = [remarkGfm, remarkBreaks];

function SafeLink({ href, children }: { href?: string | undefined; children?: ReactNode }): ReactElement {
  if (!href) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  // Loading a picture would tell its server who reads this, and when.
  img: ({ src, alt }) => (
    <SafeLink href={typeof src === "string" ? src : undefined}>{alt || "Image"}</SafeLink>
  ),
  table: ({ children }) => (
    <div className="hl-table-scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  // Code within lists and quotes; the other code blocks are cut out before.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
};

const TextBlock = memo(function TextBlock({ text }: { text: string }): ReactElement {
  return (
    <div className="hl-prose-block">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={safeUrl}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

/** `growing` is for a text that is being written: it shows a caret, and only its end is parsed again. */
export function Markdown({ text, growing = false }: { text: string; growing?: boolean }): ReactElement {
  const [splitter] = useState(() => new BlockSplitter());
  const blocks = growing ? splitter.split(text) : splitWhole(text);
  return (
    <div className={growing ? "hl-prose hl-prose-growing" : "hl-prose"}>
      {blocks.map((block, index) =>
        block.kind === "code" ? (
          <CodeBlock key={index} text={block.text} language={block.language} />
        ) : (
          <TextBlock key={index} text={block.text} />
        ),
      )}
    </div>
  );
}
