/** What a model writes. */

import type { ReactElement } from "react";
import { Markdown, StreamingText, Thoughts } from "../src";
import { Show, State } from "./Show";

const WHOLE = `## Rivers of Europe

The **Volga** is the longest, and the *Danube* passes more countries than any other: ten.

1. It rises in the Black Forest.
2. It ends in the Black Sea, in a delta of
   - channels,
   - lakes and reeds.

> Of the great rivers it alone flows to the east.

| River | Length | Countries |
|---|---:|---:|
| Volga | 3,531 km | 1 |
| Danube | 2,850 km | 10 |

\`\`\`python
def longest(rivers: dict[str, int]) -> str:
    # By their length in km.
    return max(rivers, key=lambda name: rivers[name])
\`\`\`

See [the Danube Commission](https://www.danubecommission.org) and \`longest()\`.`;

const THOUGHTS = [
  "They ask which river is longer. Length depends on which source one counts from.",
  "I take the usual figures, and say so.",
];

export function Texts(): ReactElement {
  return (
    <>
      <Show name="StreamingText">
        <State name="Being written">
          <StreamingText text={"The Danube rises in the **Black Forest**, and fl"} isStreaming />
        </State>
        <State name="Whole">
          <StreamingText text="The Danube rises in the **Black Forest**, and flows to the Black Sea." />
        </State>
      </Show>
      <Show name="Markdown">
        <State name="Everything that a text may have">
          <Markdown text={WHOLE} />
        </State>
      </Show>
      <Show name="Thoughts">
        <State name="While it thinks">
          <Thoughts thoughts={THOUGHTS} isThinking />
        </State>
        <State name="When it has thought">
          <Thoughts thoughts={THOUGHTS} thoughtMs={4200} />
        </State>
      </Show>
    </>
  );
}
