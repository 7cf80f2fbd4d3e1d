"""The rounds of one answer: what the model said and called, and what came back, as it is asked again with it. Pure.

Folded from the entries on the log, so that another worker knows them as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from streaming.log.script import Entry
from streaming.tools.specs import told


@dataclass(slots=True)
class Round:
    """One ask's text, thoughts and calls. `results` are the calls that have theirs."""

    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    results: set[str] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        """Whether the model can be asked again: it called, and every call has its result."""
        return bool(self.calls) and self.results.issuperset(self.calls)


class Rounds:
    """`entries` are those since the last reset, of which the first `kept` belong to whole rounds."""

    def __init__(self) -> None:
        self._rounds = [Round()]
        self.entries: list[Entry] = []
        self.kept = 0

    def apply(self, entry: Entry) -> None:
        if entry.type == "reset":
            self._rounds, self.entries, self.kept = [Round()], [], 0
            return
        self.entries.append(entry)
        body = entry.body or {}
        if entry.type == "tool_result":
            self._result(str(body["call"]))
        elif entry.type != "tool_call" or not self._knows(str(body["call"])):
            if self.open.is_whole:
                self._rounds.append(Round())
            if entry.type == "token":
                self.open.text.append(entry.data)
            elif entry.type == "thought":
                self.open.thoughts.append(entry.data)
            elif entry.type == "tool_call":
                self.open.calls.append(str(body["call"]))

    @property
    def open(self) -> Round:
        """The round that the model is in."""
        return self._rounds[-1]

    @property
    def whole(self) -> list[Round]:
        return [each for each in self._rounds if each.is_whole]

    @property
    def is_between(self) -> bool:
        """Whether the next thing is to ask the model, and nothing of that has been written yet."""
        return self.kept == len(self.entries)

    def messages(self, calls: Mapping[str, Mapping[str, Any]], *, with_thoughts: bool = False) -> list[dict[str, Any]]:
        """The whole rounds in OpenAI's shape; `calls` is each call's state by its id.

        `with_thoughts` only for an API that asks for what was thought before a call: elsewhere it is never sent back.
        """
        messages: list[dict[str, Any]] = []
        for each in self.whole:
            text = "".join(each.text).strip("\n")
            made = [_made(calls[id]) for id in each.calls]
            messages.append({"role": "assistant", "content": text or None, "tool_calls": made})
            if with_thoughts:  # also where there were none: the field has to be there
                messages[-1]["reasoning_content"] = "".join(each.thoughts)
            for id in each.calls:
                content = told(calls[id]["result"], calls[id]["error"])
                messages.append({"role": "tool", "tool_call_id": id, "content": content})
        return messages

    def _knows(self, call: str) -> bool:
        return any(call in each.calls for each in self._rounds)

    def _result(self, call: str) -> None:
        for each in self._rounds:
            if call in each.calls:
                each.results.add(call)
        if self.open.is_whole:
            self.kept = len(self.entries)


def _made(call: Mapping[str, Any]) -> dict[str, Any]:
    # What was no JSON is not said again: there are engines that cannot read it.
    arguments = orjson.dumps(call["args"] or {}).decode()
    return {"id": call["call"], "type": "function", "function": {"name": call["tool"], "arguments": arguments}}
