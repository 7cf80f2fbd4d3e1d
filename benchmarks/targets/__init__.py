"""The targets, one file each. `FANOUT` (P1, P2) and `ASK` (P4) are the order they run and print in."""

from __future__ import annotations

from benchmarks.targets.base import AskTarget, FanoutTarget
from benchmarks.targets.channels_tutorial import ChannelsTutorial
from benchmarks.targets.hanzo import HanzoAsk, HanzoFanout
from benchmarks.targets.litellm import LiteLLM
from benchmarks.targets.nchan import Nchan
from benchmarks.targets.node_peers import SOCKET_IO, WS
from benchmarks.targets.scripted_node import NodeItself

FANOUT: tuple[FanoutTarget, ...] = (
    HanzoFanout("daphne"),
    HanzoFanout("uvicorn"),
    Nchan(),
    WS,
    SOCKET_IO,
    ChannelsTutorial(),
)
ASK: tuple[AskTarget, ...] = (
    NodeItself(),
    HanzoAsk("hanzo", "Hanzo Live (WebSocket, SQLite)"),
    LiteLLM(),
    HanzoAsk("hanzo-postgres", "Hanzo Live (WebSocket, PostgreSQL)", with_postgres=True),
    HanzoAsk("hanzo-openai", "Hanzo Live (OpenAI endpoint, SQLite)", kind="sse"),
)
