"""The examples of `docs/python.md`, and how one is run: with top-level await, and with what it leaves out filled in.

Run as a script, it runs the example in the file that is named.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "python.md").read_text()
EXAMPLES: list[str] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CLIENTS = [example for example in EXAMPLES if "HanzoLiveServer" not in example]
(SERVER,) = [example for example in EXAMPLES if "HanzoLiveServer" in example]


def filled_in(example: str, port: int) -> str:
    """The example as it is, at another port, with its `(...)` filled in."""
    return example.replace("3001", str(port)).replace("(...)", "(messages=[{'role': 'user', 'content': 'Once more'}])")


async def display_token(token: str) -> None:
    sys.stdout.write(f"[{token}]")


async def run(source: str) -> None:
    names = {"display_token": display_token, "token": os.environ.get("TOKEN")}
    made = eval(compile(source, "docs/python.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(made):
        await made


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]).read_text()))
