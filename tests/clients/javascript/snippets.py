"""The TypeScript blocks of a page, made into scripts that run as they stand: what is left out in them is filled in."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.clients.javascript.project import JS

BLOCK = re.compile(r"^<!-- (?:seed|example): (.+?) -->\n```typescript\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_BLOCK = re.compile(r"^```(?:typescript|ts)$", re.MULTILINE)

ASKED = "{ messages: [{ role: 'user', content: 'Hello' }] }"
IMPORT = "import { HanzoLiveClient } from '@hanzo/live-client'\n"

# What a snippet uses and does not declare.
PRELUDE = """
const display = (token: string) => void process.stdout.write(token)
async function processStream(stream: AsyncIterable<string>, name: string) {
  let text = ''
  for await (const token of stream) text += token
  console.log(`${name}: ${text}`)
}
const analytics = { track: (name: string, facts: object) => console.log(name, JSON.stringify(facts)) }
const useEffect = (effect: () => () => void, _: unknown[]) => effect()()
const TOKEN = process.env.OLGA ?? ''
const SESSION = process.env.SESSION ?? ''
"""


@dataclass(frozen=True)
class Snippet:
    """One block: its name, and what it says, to the letter."""

    name: str
    text: str


def snippets(page: Path) -> dict[str, Snippet]:
    """The blocks of `page` by name. Fails where one has none: it would not be run."""
    text = page.read_text()
    found = [Snippet(name, code) for name, code in BLOCK.findall(text)]
    assert len(found) == len(ANY_BLOCK.findall(text)), "A block has no name in a comment above it."
    assert len({each.name for each in found}) == len(found), "Two blocks have one name."
    return {each.name: each for each in found}


def scripts(snippet: Snippet, *, before: str = "", after: str = "") -> list[str]:
    """The snippet as TypeScript modules: one, or where it declares a name twice (good and bad) one for each.

    The server's address is put in by the test, for the test's server has a port of its own.
    """
    parts = [snippet.text]
    if len(re.findall(r"^const client = ", snippet.text, re.MULTILINE)) > 1:
        parts = [part for part in re.split(r"^(?=// [✅❌])", snippet.text, flags=re.MULTILINE) if part]
    made = []
    for part in parts:
        filled = part.replace(".stream({...})", f".stream({ASKED})").replace("({...})", "({})")
        head = "" if "from '@hanzo/live-client'" in part else IMPORT
        made.append(f"{head}{PRELUDE}{before}\n{filled}\n{after}\nprocess.exit(0)\n")
    return made


def at(script: str, url: str) -> str:
    """The script with the server at `url`."""
    return script.replace("ws://localhost:3001", url.replace("http", "ws", 1)).replace("https://api.hanzo.ai/live", url)


def stripped(script: str) -> str:
    """The script without its types."""
    make = "require('esbuild').transform(JSON.parse(require('fs').readFileSync(0)), {loader: 'ts', format: 'esm', target: 'es2022'}).then((made) => process.stdout.write(made.code))"
    done = subprocess.run(
        ["node", "-e", make], cwd=JS, input=json.dumps(script), capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout
