"""The columns that every fan-out has: what it costs, how late it is, whether it is whole."""

from __future__ import annotations

from benchmarks.tables.forms import lag, share

FANOUT_START = (
    ("", lambda row: str(row["title"])),
    ("CPU per frame", lambda row: f"{row['cpu_per_frame']:.1f} µs"),
    ("CPU per token", lambda row: f"{row['cpu_per_token']:.1f} µs"),
    ("tokens a frame", lambda row: f"{row['tokens_per_frame']:.2f}"),
    ("p50", lambda row: lag(row, "p50")),
    ("p99", lambda row: lag(row, "p99")),
)
FANOUT_END = (
    ("delivered", lambda row: share(row["delivered"])),
    ("byte-exact", lambda row: str(row["exact"])),
    ("its CPU", lambda row: f"{row['server_share']:.0%}"),
    ("Redis, per frame", lambda row: f"{row['broker_cpu_per_frame']:.2f} µs"),
    ("generator's CPU", lambda row: f"{row['generator_share']:.0%}"),
)
