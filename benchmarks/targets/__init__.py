"""The targets of the fan-out figures, one file each. `FANOUT` is the order they run and print in."""

from __future__ import annotations

from benchmarks.targets.base import FanoutTarget
from benchmarks.targets.channels_tutorial import ChannelsTutorial
from benchmarks.targets.nchan import Nchan
from benchmarks.targets.node_peers import SOCKET_IO, WS

FANOUT: tuple[FanoutTarget, ...] = (Nchan(), WS, SOCKET_IO, ChannelsTutorial())
