"""Runs scenarios through a client of `hanzo_live`: `driver.py asyncio|threads|sse|sse-asyncio`, scenarios on stdin,
outcomes on stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from hanzo_live import AsyncHanzoLiveClient, AsyncHanzoLiveSSE, HanzoLiveClient, HanzoLiveError, HanzoLiveSSE

OVER = {"complete", "stopped", "failed"}
FIELDS = ("content", "model", "show_thoughts", "flush_ms", "buffer_size", "local_node_url")

Job = dict[str, Any]
Outcome = dict[str, Any]


def options_of(job: Job) -> dict[str, Any]:
    reconnect = {"delay_ms": 50, "exponential_backoff": False, "max_attempts": job["max_attempts"]}
    return {"url": job["url"], "token": job["token"], "reconnect": reconnect}


def request_of(ask: dict[str, Any]) -> dict[str, Any]:
    return {name: ask[name] for name in FIELDS if ask[name] is not None}


def outcome_of() -> Outcome:
    return {"events": [], "pieces": None, "text": None, "error": None, "pieces_error": None}


def rests(job: Job) -> bool:
    return any(step["step"] == "rest" for step in job["client"])


def until_over(job: Job, stream: str) -> None:
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {job['rest_token']}"}) as http:
        while http.get(f"{job['rest']}/v1/streams/{stream}").json()["status"] not in OVER:
            time.sleep(0.05)


def steps_of(job: Job) -> Callable[[], Iterator[str]]:
    """What a reader's place in the answer makes it do; to be called with each token."""
    steps = list(job["client"])
    had = 0

    def due() -> Iterator[str]:
        nonlocal had
        had += 1
        while steps and had >= steps[0]["after"]:
            yield steps.pop(0)["step"]

    return due


async def read_events(job: Job, events: Any, stop: Callable[[str], Awaitable[None]], outcome: Outcome) -> None:
    due = steps_of(job)
    try:
        async for event in events:
            outcome["events"].append(event.model_dump(mode="json"))
            for step in due() if event.type == "token" else ():
                if step == "stop":
                    await stop(event.stream)
                else:
                    await asyncio.to_thread(until_over, job, event.stream)
    except HanzoLiveError as error:
        outcome["error"] = error.code


async def with_asyncio(job: Job) -> list[Outcome]:
    async with AsyncHanzoLiveClientOf(job) as client:

        async def pieces(live: Any, outcome: Outcome) -> None:
            outcome["pieces"] = []
            try:
                async for piece in live.tokens():
                    outcome["pieces"].append(piece)
            except HanzoLiveError as error:
                outcome["pieces_error"] = error.code

        async def ask(request: dict[str, Any]) -> Outcome:
            outcome = outcome_of()
            live = client.stream(**request)
            reading = asyncio.ensure_future(read_events(job, live.events(), client.stop, outcome))
            # Another one who reads would keep the one who rests from holding the server back.
            if rests(job):
                await reading
            await asyncio.gather(reading, pieces(live, outcome))
            outcome["text"] = live.state.content
            return outcome

        return list(await asyncio.gather(*(ask(request_of(each)) for each in job["asks"])))


class AsyncHanzoLiveClientOf:
    """Not connected before it is used: that a connection is refused is told where an answer is read."""

    def __init__(self, job: Job) -> None:
        self._client = AsyncHanzoLiveClient(**options_of(job))

    async def __aenter__(self) -> AsyncHanzoLiveClient:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()


def read_events_here(job: Job, events: Any, stop: Callable[[str], None], outcome: Outcome) -> None:
    due = steps_of(job)
    try:
        for event in events:
            outcome["events"].append(event.model_dump(mode="json"))
            for step in due() if event.type == "token" else ():
                if step == "stop":
                    stop(event.stream)
                else:
                    until_over(job, event.stream)
    except HanzoLiveError as error:
        outcome["error"] = error.code


def with_threads(job: Job) -> list[Outcome]:
    client = HanzoLiveClient(**options_of(job))

    def pieces(live: Any, outcome: Outcome) -> None:
        outcome["pieces"] = []
        try:
            outcome["pieces"].extend(live.tokens())
        except HanzoLiveError as error:
            outcome["pieces_error"] = error.code

    def ask(request: dict[str, Any]) -> Outcome:
        outcome = outcome_of()
        live = client.stream(**request)
        with ThreadPoolExecutor() as beside:
            if not rests(job):
                beside.submit(pieces, live, outcome)
            read_events_here(job, live.events(), client.stop, outcome)
            if rests(job):
                pieces(live, outcome)
        outcome["text"] = live.state.content
        return outcome

    with ThreadPoolExecutor() as threads:
        outcomes = list(threads.map(ask, [request_of(each) for each in job["asks"]]))
    client.disconnect()
    return outcomes


def with_sse(job: Job) -> list[Outcome]:
    with HanzoLiveSSE(**options_of(job)) as client, ThreadPoolExecutor() as threads:

        def ask(request: dict[str, Any]) -> Outcome:
            outcome = outcome_of()
            read_events_here(job, client.stream(**request), client.stop, outcome)
            return outcome

        return list(threads.map(ask, [request_of(each) for each in job["asks"]]))


async def with_sse_asyncio(job: Job) -> list[Outcome]:
    async with AsyncHanzoLiveSSE(**options_of(job)) as client:

        async def ask(request: dict[str, Any]) -> Outcome:
            outcome = outcome_of()
            await read_events(job, client.stream(**request), client.stop, outcome)
            return outcome

        return list(await asyncio.gather(*(ask(request_of(each)) for each in job["asks"])))


async def run(how: str, jobs: list[Job]) -> list[list[Outcome]]:
    async def one(job: Job) -> list[Outcome]:
        try:
            if how == "asyncio":
                return await with_asyncio(job)
            if how == "sse-asyncio":
                return await with_sse_asyncio(job)
            return await asyncio.get_running_loop().run_in_executor(
                threads, with_threads if how == "threads" else with_sse, job
            )
        except Exception:
            return [{"broken": traceback.format_exc()}]

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(await asyncio.gather(*(one(job) for job in jobs)))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(sys.argv[1], json.load(sys.stdin)))))
