"""The targets, one file each. `FANOUT` (P1, P2), `ASK` (P4), `PULL` (P5), `CURSORS` (P10), `HISTORY` (P11): the order they run in."""

from __future__ import annotations

from benchmarks.targets.base import AskTarget, CursorTarget, FanoutTarget, HistoryTarget, PullTarget
from benchmarks.targets.channels_tutorial import ChannelsTutorial
from benchmarks.targets.cursors import SOCKET_IO_CURSORS, WS_CURSORS, HanzoCursors
from benchmarks.targets.hanzo import HanzoAsk, HanzoFanout
from benchmarks.targets.history import HistoryDatabase
from benchmarks.targets.litellm import LiteLLM
from benchmarks.targets.nchan import Nchan
from benchmarks.targets.node_peers import SOCKET_IO, WS
from benchmarks.targets.pulling import BareClient, HanzoPull
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
PULL: tuple[PullTarget, ...] = (
    BareClient(),
    HanzoPull("hanzo", "Hanzo Live's worker"),
    HanzoPull("hanzo-slow-redis", "Hanzo Live's worker, 400 ms added to every call of Redis", delay=0.4),
)
CURSORS: tuple[CursorTarget, ...] = (
    HanzoCursors("daphne"),
    HanzoCursors("uvicorn"),
    WS_CURSORS,
    SOCKET_IO_CURSORS,
)
HISTORY: tuple[HistoryTarget, ...] = (
    HistoryDatabase("sqlite", "SQLite"),
    HistoryDatabase("postgres", "PostgreSQL", with_postgres=True),
)
