"""What the scripted node says: which model runs, with which parameters, and every word, computed from the prompt.

No randomness and no I/O: a test computes with `expected_text` what a viewer must have seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from random import Random
from typing import Any

DEFAULT_MODEL = "script-echo"
OWNER = "hanzo-live-script"
CONTEXT_LENGTH = 32_768

Messages = Sequence[Mapping[str, Any]]


class BadScript(ValueError):
    """A parameter that no script has, or a value it cannot take; the message says which."""


@dataclass(frozen=True, slots=True)
class Script:
    """How one model behaves. Each field can be set by the request: `script-slow@rate=50,tokens=200`, or `"script": {…}`.

    `rate` is tokens a second, 0 as fast as possible. `fail_at` is the token before which `fail` happens.
    """

    tokens: int = 64
    rate: float = 0.0
    first_ms: int = 0  # wait before the first byte of the body
    thoughts: int = 0  # tokens of reasoning before the answer
    tags: bool = False  # … inline, between <think> and </think>
    reasoning: str = "reasoning_content"  # … else in this field
    echo: bool = False  # say the prompt back
    calls: int = 0  # tool calls instead of an answer, until a tool result is the last message
    rounds: int = 1  # … so often, until there are that many answers of tools
    stubborn: bool = False  # … always, whatever it is told
    tool: str = ""  # … of this tool, offered or not
    pieces: int = 4  # parts that each call's arguments come in
    continues: bool = False  # a last assistant message is a beginning to go on from
    refuses_prefix: bool = False  # a last assistant message is refused with 400
    fail: str = ""  # first, error, raw, cut, cancel, silent, context, filter, busy
    fail_at: int = 0
    fails: int = 0  # how many asks of one prompt fail, 0 for all: a node that recovers
    status: int = 500  # of `fail=first`
    usage: str = "asked"  # asked (OpenAI), always (on the finish chunk), never, refuse (400 where it is asked for)
    stream: bool = True  # false: 502 where a stream is asked for, as the Hanzo node answers
    finish: str = ""  # a finish reason to claim
    comments: bool = False  # a keep-alive comment before each token
    split: int = 1  # tokens in one chunk


SCRIPTS: dict[str, Script] = {
    "script-echo": Script(echo=True),
    "script-fast": Script(tokens=256),
    "script-slow": Script(tokens=200, rate=20),
    "script-thoughts": Script(thoughts=24),
    "script-think-tags": Script(thoughts=24, tags=True),
    "script-tools": Script(calls=1),
    "script-error-midway": Script(fail="error", fail_at=20),
    "script-error-raw": Script(fail="raw", fail_at=20, usage="always"),
    "script-error-first": Script(fail="first"),
    "script-cut": Script(fail="cut", fail_at=20),
    "script-cancelled": Script(fail="cancel", fail_at=20),
    "script-10k": Script(tokens=10_000),
    "script-silent": Script(fail="silent"),
    "script-stall": Script(fail="silent", fail_at=20),
    "script-context": Script(fail="context"),
    "script-filter": Script(fail="filter"),
    "script-busy": Script(fail="busy"),
    "script-refuse-usage": Script(usage="refuse"),
    "script-no-usage": Script(usage="never"),
    "script-no-stream": Script(stream=False),
    "script-continue": Script(tokens=200, continues=True),
    "script-recover": Script(tokens=200, fail="cut", fail_at=20, fails=1),
}

# "naïve", "日本語" and "🙂" are there so that nothing that cuts bytes or UTF-16 units goes unseen.
_WORDS = [
    "the",
    "a",
    "of",
    "and",
    "to",
    "in",
    "light",
    "river",
    "stone",
    "window",
    "garden",
    "letter",
    "slowly",
    "open",
    "under",
    "over",
    "bright",
    "quiet",
    "morning",
    "city",
    "train",
    "ocean",
    "paper",
    "music",
    "number",
    "simple",
    "careful",
    "kind",
    "answer",
    "question",
    "because",
    "however",
    "therefore",
    "naïve",
    "日本語",
    "🙂",
    "seven",
    "green",
    "silver",
    "walk",
    "write",
    "listen",
    "remember",
    "between",
    "another",
    "small",
    "great",
    "true",
    "early",
]


def parse_model(
    requested: str, body: Mapping[str, Any] | None = None, aliases: Mapping[str, str] | None = None
) -> tuple[str, Script]:
    """(the model that runs, its script) for a requested name; unknown names get the default. Raises BadScript."""
    name, _, suffix = requested.partition("@")
    if aliases and name in aliases:
        name, _, set_by_alias = aliases[name].partition("@")
        suffix = ",".join(filter(None, (set_by_alias, suffix)))
    if name not in SCRIPTS:
        return DEFAULT_MODEL, SCRIPTS[DEFAULT_MODEL]
    script = SCRIPTS[name]
    given: dict[str, Any] = dict(part.partition("=")[::2] for part in suffix.split(",") if part)
    in_body = (body or {}).get("script")
    if isinstance(in_body, Mapping):
        given |= in_body
    return name, _with(script, given)


def _with(script: Script, given: Mapping[str, Any]) -> Script:
    types: dict[str, Any] = {field.name: type(field.default) for field in fields(Script)}
    changed: dict[str, Any] = {}
    for key, value in given.items():
        if key not in types:
            raise BadScript(f"No such script parameter: {key!r}. There are {', '.join(types)}.")
        try:
            changed[key] = str(value).lower() in ("1", "true", "yes") if types[key] is bool else types[key](value)
        except (TypeError, ValueError):
            raise BadScript(f"The script parameter {key} takes a {types[key].__name__}, not {value!r}.") from None
        if isinstance(changed[key], int | float) and not 0 <= changed[key] <= 10_000_000:
            raise BadScript(f"The script parameter {key} lies between 0 and 10000000.")
    return replace(script, **changed)


def prompt_of(messages: Messages) -> str:
    """The last thing a user said: it alone decides the words."""
    return next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text; of content parts, those that are text."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def has_used_tools(script: Script, messages: Messages) -> bool:
    """Whether tools have answered as often as the script wants, and now the answer follows."""
    if script.stubborn:
        return False
    if not messages or messages[-1].get("role") != "tool":
        return False
    asked = max((n for n, message in enumerate(messages) if message.get("role") == "user"), default=0)
    return sum(1 for message in messages[asked:] if message.get("tool_calls")) >= script.rounds


def answer_tokens(script: Script, messages: Messages, *, may_call: bool = True) -> tuple[str, ...]:
    """The whole answer as tokens, from its very beginning, whatever fails on the way."""
    if messages and messages[-1].get("role") == "tool" and (has_used_tools(script, messages) or not may_call):
        return _split(f"The tool said: {text_of(messages[-1])}")
    if script.calls:
        return ()
    prompt = prompt_of(messages)
    return _split(prompt) if script.echo else _words(prompt, script.tokens)


def thought_tokens(script: Script, messages: Messages) -> tuple[str, ...]:
    """The reasoning as tokens."""
    return _words("thought: " + prompt_of(messages), script.thoughts) if script.thoughts else ()


def expected_text(model: str, messages: Messages) -> str:
    """The text of the whole answer of `model` (parameters in its name) to `messages`, thoughts not in it."""
    return "".join(answer_tokens(parse_model(model)[1], messages))


def expected_thoughts(model: str, messages: Messages) -> str:
    """The text of the reasoning."""
    return "".join(thought_tokens(parse_model(model)[1], messages))


def tool_calls(script: Script, messages: Messages, tools: object) -> list[tuple[str, str, dict[str, Any]]]:
    """(id, name, arguments) of each call: of the tools offered in turn, their required arguments made of the prompt."""
    prompt = prompt_of(messages)
    offered = [f for tool in (tools if isinstance(tools, list) else []) if (f := _function(tool))]
    calls = []
    for number in range(script.calls):
        function = offered[number % len(offered)] if offered else {"name": "lookup"}
        if script.tool:
            function = next((each for each in offered if each["name"] == script.tool), {"name": script.tool})
        digest = hashlib.sha256(f"{number} {len(messages)} {prompt}".encode()).hexdigest()[:12]
        calls.append((f"call_{digest}", str(function["name"]), _arguments(function, prompt)))
    return calls


def _function(tool: object) -> Mapping[str, Any] | None:
    if not isinstance(tool, Mapping):
        return None
    function = tool.get("function", tool)
    return function if isinstance(function, Mapping) and isinstance(function.get("name"), str) else None


def _arguments(function: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    schema = function.get("parameters")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return {"query": prompt}
    required = schema.get("required") if isinstance(schema, Mapping) else None
    names = required if isinstance(required, list) and required else list(properties)
    made: dict[str, Any] = {"integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}}
    values: dict[str, Any] = {}
    for name in names:
        about = properties.get(name)
        about = about if isinstance(about, Mapping) else {}
        choices = about.get("enum")
        values[str(name)] = (
            choices[0] if isinstance(choices, list) and choices else made.get(str(about.get("type")), prompt)
        )
    return values


def _split(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+|\s+", text))


@lru_cache(maxsize=256)
def _words(prompt: str, count: int) -> tuple[str, ...]:
    """`count` words; a longer answer to the same prompt begins with the shorter one."""
    dice = Random(hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest())
    tokens = []
    for number in range(count):
        word = dice.choice(_WORDS)
        end = ".\n\n" if number % 40 == 39 else "." if number % 12 == 11 else ""
        tokens.append((" " if number % 40 else "") + word + end)
    return tuple(tokens)
