"""The real small model, with nothing configured: what a newcomer sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.stack import stack as start_stack

pytestmark = [pytest.mark.timeout(240), pytest.mark.real_model]

PROMPT = "What is the capital of France? Answer in one sentence."


async def test_with_nothing_given_a_prompt_is_answered_by_a_real_model(tmp_path: Path) -> None:
    with start_stack(tmp_path, "") as stack:
        assert "SmolLM2 135M" in stack.serve.text
        room = make_room(stack)
        async with live(stack, room.olga) as olga, live(stack, room.vera) as vera:
            of_olga, of_vera = await olga.watch(room.log), await vera.watch(room.log)
            stream = await olga.prompt(room.session, PROMPT, max_tokens=40, temperature=0.0, seed=1)
            await olga.end_of(of_olga, stream, 90)
            await vera.end_of(of_vera, stream)
        text = of_olga.text(stream)
        assert "Paris" in text
        assert len(of_olga.of_type("token")) > 1
        assert of_vera.text(stream) == text
        (complete,) = of_olga.of_type("complete")
        assert not complete["usage"]["estimated"]
        assert complete["usage"]["completion_tokens"] > 0
        assert [m["content"] for m in room.messages()] == [PROMPT, text]
        assert [m["content"] for m in stack.messages_in_database(room.session)][1] == text
