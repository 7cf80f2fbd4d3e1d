"""A stand-in for the package `hanzo` as the seed means it: PyPI's has no `Hanzo`. It asks the node of the test."""

from __future__ import annotations

import os

import openai


class Hanzo:
    def __init__(self, inference_mode: str) -> None:
        assert inference_mode == "local"
        self.chat = openai.OpenAI(base_url=os.environ["STANDIN_NODE"], api_key="none").chat
