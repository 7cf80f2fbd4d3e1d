"""P5 and P7: what their figures are judged by, and the slow way to Redis."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE

from benchmarks import p5, p7, tables
from benchmarks.process import ROOT
from benchmarks.run import Result


def pull_row(target: str, cpu: float, speed: float, direct: float = 5000) -> p5.PullRow:
    return p5.PullRow(target, target.upper(), "1", 100, 50, speed, direct, cpu, 0.5, 0.2, 0.1, 1.3, "")


def weight_row(target: str, size: int, limit: float) -> p7.WeightRow:
    return p7.WeightRow(target, target.upper(), "1", 1000, size, 10, limit, "")


def said(part: str, *rows: p5.PullRow | p7.WeightRow) -> list[str]:
    return tables.verdicts(Result(part, "title", "setting", [row.to_json() for row in rows], []))


def test_p5_asks_for_the_cost_of_a_token_and_for_the_speed_of_the_node() -> None:
    met = said("P5", pull_row("node", 30, 5000), pull_row("hanzo", 150, 4990))
    assert [line.rpartition("**")[0].rpartition("**")[2] for line in met] == ["met", "met"]
    missed = said("P5", pull_row("hanzo", 201, 4700))
    assert "201 µs, target ≤ 200 µs: **missed**" in missed[0]
    assert "94.0% of the node's, target ≥ 95 %: **missed**" in missed[1]


def test_p5_says_nothing_of_speed_where_the_node_was_not_read_directly() -> None:
    [line] = said("P5", pull_row("hanzo", 150, 4990, direct=0))
    assert "CPU per token" in line


def test_p7_weighs_everything_beside_the_text_and_does_not_judge_the_node() -> None:
    lines = said(
        "P7", weight_row("hanzo-live", 2500, 2.5), weight_row("hanzo-redis", 3001, 3), weight_row("node", 29_000, 0)
    )
    assert "2.5 ×, target ≤ 2.5 ×: **met**" in lines[0]
    assert "3 ×, target ≤ 3 ×: **missed**" in lines[1]
    assert len(lines) == 2


def test_the_tables_have_a_line_for_each_row() -> None:
    for part, rows in (("P5", [pull_row("hanzo", 150, 4990)]), ("P7", [weight_row("hanzo-live", 2500, 2.5)])):
        shown = tables.table(Result(part, "title", "setting", [row.to_json() for row in rows], []))
        assert len(shown) == 3
        assert rows[0].title in shown[2]


async def test_what_goes_the_slow_way_arrives_whole_and_in_order() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1")
    wire = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.slow_wire"), cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert wire.stdin
    assert wire.stdout
    wire.stdin.write(json.dumps({"port": server.sockets[0].getsockname()[1], "delay": 0.02}).encode() + b"\n")
    ready = json.loads(await wire.stdout.readline())
    reader, writer = await asyncio.open_connection("127.0.0.1", ready["port"])
    sent = [b"%05d" % number for number in range(2000)]
    writer.write(b"".join(sent[:1000]))
    assert await reader.readexactly(5) == sent[0]
    wire.stdin.write(b"{}\n")  # in the middle it becomes slow
    for piece in sent[1000:]:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    assert await reader.read(-1) == b"".join(sent[1:])
    writer.close()
    server.close()
    await wire.communicate(b"")  # the end of its input is its own
