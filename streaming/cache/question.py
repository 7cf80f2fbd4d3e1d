"""What makes two questions the same: everything that decides the answer, and for whom it was written.

The key is a digest of all of it. Whatever is forgotten here gives somebody a wrong answer; what is there too much only
costs hits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from sessions.iam.accounts import tenant_of
from sessions.models import User
from sessions.queries import Said
from streaming.configured import configured_nodes
from streaming.models import Stream
from streaming.runner.prompt import build_prompt

VERSION = 1
SAMPLING = ("max_tokens", "temperature", "top_p", "stop", "seed", "tool_choice")
# More than any conversation: what a model's context cuts off is a part of the question all the same.
UNCUT = 10**9


@dataclass(frozen=True, slots=True)
class Question:
    """`setting` is everything but the messages: digests of two are equal where those are."""

    setting: str
    messages: Sequence[Mapping[str, Any]]

    @property
    def alone(self) -> str | None:
        """The prompt, where it is the only thing that was said, beside a system prompt."""
        *before, last = self.messages or ({},)
        content = last.get("content")
        if last.get("role") != "user" or not isinstance(content, str) or set(last) - {"role", "content"}:
            return None
        return content if all(message.get("role") in ("system", "developer") for message in before) else None

    @property
    def surroundings(self) -> str:
        """Everything but the last message: where it differs, no likeness of prompts counts."""
        return _digest([self.setting, self.messages[:-1]])

    @property
    def key(self) -> str:
        return _digest([self.setting, self.messages])


def is_wanted(stream: Stream) -> bool:
    """Whether the caller wants the cache for this one, and it may be used.

    Not where tools come from elsewhere: nobody knows beforehand which those are.
    """
    options = stream.request["options"]
    if not (options.get("cache") or {}).get("enabled") or settings.CACHE_MAX_ENTRIES == 0:
        return False
    return options.get("tools") != "auto" and not (options.get("mcp") or {}).get("enabled")


def is_wanted_by_meaning(stream: Stream) -> bool:
    """Whether a similar question's answer would do as well. Not with tools: what those find is asked for word by word."""
    options = stream.request["options"]
    return bool(is_wanted(stream) and options["cache"].get("semantic") and not options.get("tools"))


def question_of(stream: Stream, messages: Sequence[Mapping[str, Any]]) -> Question | None:
    """What `stream` asks with `messages`; None where no answer may be shared with anybody, not even its asker."""
    whose = _whose(stream.user)
    if whose is None:
        return None
    options = stream.request["options"]
    setting = [
        VERSION,
        whose,
        [node.model_dump(mode="json", exclude={"key"}) for node in configured_nodes()],
        [settings.NODE_MODEL, settings.NODE_MODEL_ALIASES],
        stream.requested_model,
        options.get("route"),
        {name: options.get(name) for name in SAMPLING},
        options.get("tools"),
    ]
    return Question(_digest(setting), messages)


def messages_in_session(system: str, said: Sequence[Said], *, with_tools: bool) -> list[dict[str, Any]]:
    """A session's conversation as a model is told of it, uncut."""
    return build_prompt(system, said, context=UNCUT, with_tools=with_tools)


def _whose(user: User | None) -> str | None:
    """With whom answers are shared. People without an account are one tenant only where there is nobody else."""
    if settings.CACHE_SHARED:
        return "everybody"
    if user is None:
        return "nobody" if settings.ON_LOOPBACK else None
    tenant = tenant_of(user) if settings.IAM_ISSUERS else None  # else nobody has one
    return f"tenant {tenant}" if tenant else f"user {user.pk}"


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
