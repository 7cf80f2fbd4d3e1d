"""`hanzo-live chat`: a conversation in the terminal, with thoughts, tools and progress. Ctrl-C stops the answer.

Everything it knows of Hanzo Live is `HanzoLiveClient`; how it looks is `rich`'s.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import unicodedata
from typing import Any

from hanzo_live.client import HanzoLiveClient, LiveStream
from hanzo_live.core.backoff import Reconnect
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.events import AnyEvent, ToolCallEvent, ToolResultEvent

try:
    from rich.console import Console
    from rich.status import Status
except ImportError as missing:
    raise HanzoLiveError(
        "BAD_REQUEST", "The chat draws with rich: install it with `pip install 'hanzo-live[chat]'`."
    ) from missing

_PHASES = {
    "queued": "Waiting for its turn",
    "waiting": "Waiting for an approval or a tool",
    "thinking": "Thinking",
    "tool": "Running a tool",
    "answering": "Answering",
    "recovering": "Recovering",
}
RESULT_SHOWN = 400
# A person waits for it: tried sooner than a program would, and given up sooner.
RECONNECT = Reconnect(max_attempts=6, delay_ms=200)


def run(options: argparse.Namespace) -> int:
    """One answer where a prompt is given or piped in, else a conversation. The exit code."""
    out = Console(highlight=False, soft_wrap=True)
    token = options.token or os.environ.get("HANZO_LIVE_TOKEN") or None
    with HanzoLiveClient(options.url, token=token, model=options.model, reconnect=RECONNECT) as client:
        chat = Chat(client, out, session=options.session, thoughts=not options.no_thoughts, tools=options.tools)
        prompt = " ".join(options.prompt) or ("" if sys.stdin.isatty() else sys.stdin.read().strip())
        if prompt:
            return chat.ask(prompt)
        return chat.converse()


class Chat:
    """One conversation. In a session the server has what was said before; without one it is sent along."""

    def __init__(
        self, client: HanzoLiveClient, out: Console, *, session: str | None, thoughts: bool, tools: bool
    ) -> None:
        self._client = client
        self._out = out
        self._session = session
        self._thoughts = thoughts
        self._tools = tools
        self._said: list[dict[str, str]] = []

    def converse(self) -> int:
        """Ask for prompts until there are no more."""
        name = (self._client.user or {}).get("name") or "Guest"
        self._out.print(f"Connected as {plain(name)}. Ctrl-C stops an answer, Ctrl-D ends.", style="dim", markup=False)
        while True:
            try:
                prompt = self._out.input("[bold]> [/bold]").strip()
            except (EOFError, KeyboardInterrupt):
                self._out.print()
                return 0
            if prompt:
                self.ask(prompt)

    def ask(self, prompt: str) -> int:
        """Ask, and show the answer. 0, or 1 where it failed."""
        words: dict[str, Any] = {"content": prompt}
        if self._session:
            words["session"] = self._session
        else:
            words = {"messages": [*self._said, {"role": "user", "content": prompt}]}
        if self._tools:
            words["tools"] = "auto"
        stream = self._client.stream(**words, show_thoughts=self._thoughts)
        try:
            Shown(self._out).all_of(stream)
        except HanzoLiveError as error:
            self._fail(error.message)
            return 1
        if stream.state.error is not None:
            return 1
        self._said += [{"role": "user", "content": prompt}, {"role": "assistant", "content": stream.state.content}]
        return 0

    def _fail(self, message: str) -> None:
        self._out.print(f"\n{plain(message)}", style="red", markup=False)


class Shown:
    """One answer on the screen."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._part = ""
        self._status: Status | None = None

    def all_of(self, stream: LiveStream) -> None:
        """Show the stream to its end. An interrupt stops it, and what the server still says is shown; a second one
        leaves. Raises HanzoLiveError.
        """
        events = stream.events()
        asked_to_stop = False
        while True:
            try:
                for event in events:
                    self.show(event)
                return
            except KeyboardInterrupt:
                if asked_to_stop:
                    raise
                asked_to_stop = True
                stream.stop()
            finally:
                self._quiet()

    def show(self, event: AnyEvent) -> None:
        if event.type == "progress":
            self._wait(_PHASES[event.phase], event.queue_position)
        elif event.type == "thought":
            self._write("thought", event.data, "dim italic")
        elif event.type == "token":
            self._write("text", event.data, "")
        elif event.type == "tool_call":
            self._show_call(event)
        elif event.type == "tool_result":
            self._show_result(event)
        elif event.type == "reset":
            self._line("(It begins again.)", "yellow")
        elif event.type == "complete":
            words = {"stopped": "Stopped. ", "length": "Cut at its longest length. "}.get(event.finish_reason, "")
            speed = f", {event.tokens_per_second:.1f} a second" if event.tokens_per_second else ""
            self._line(f"{words}{event.usage.completion_tokens} tokens{speed}", "dim")
        elif event.type == "error":
            self._line(event.message, "red")

    def _show_call(self, event: ToolCallEvent) -> None:
        if event.args is not None or event.status not in {"streaming", "running"}:
            arguments = "" if event.args is None else json.dumps(event.args, ensure_ascii=False)
            words = {"awaiting_approval": " waits for an approval", "denied": " was denied"}.get(event.status, "")
            self._line(f"→ {event.tool}({arguments}){words}", "cyan")

    def _show_result(self, event: ToolResultEvent) -> None:
        if event.error is not None:
            self._line(f"← {event.error}", "red")
        else:
            result = event.result if isinstance(event.result, str) else json.dumps(event.result, ensure_ascii=False)
            self._line(f"← {result[:RESULT_SHOWN]}{'…' if len(result) > RESULT_SHOWN else ''}", "cyan dim")

    def _write(self, part: str, text: str, style: str) -> None:
        """More of a running text; another part begins on a line of its own."""
        self._quiet()
        if self._part and self._part != part:
            self._out.print()
        self._part = part
        self._out.print(plain(text), end="", style=style, markup=False)

    def _line(self, text: str, style: str) -> None:
        self._quiet()
        if self._part:
            self._out.print()
        self._part = ""
        self._out.print(plain(text), style=style, markup=False)

    def _wait(self, words: str, before: int | None) -> None:
        """A line that moves while there is nothing else to see; in a terminal only."""
        if self._part or not self._out.is_terminal:
            return
        words = f"{words}, {before} before it" if before else words
        if self._status is None:
            self._status = self._out.status(f"{words}…")
            self._status.start()
        self._status.update(f"{words}…")

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def plain(text: str) -> str:
    """The text without what a terminal would obey: models and people may write anything."""
    return "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cf"})
