"""Which pages of a history are read, and how a page's answer and a server's count of queries are read."""

from __future__ import annotations

import json
import random
import socket
import threading
from itertools import pairwise

import pytest

from benchmarks import pager, seeding
from benchmarks.targets.history import PAGE, places
from benchmarks.task import HistoryTask, Reading, ViewerShape


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_every_page_is_whole_and_they_lie_apart(size: int) -> None:
    pages = sorted(places(size).values())
    assert all(last - first + 1 == PAGE for first, last in pages)
    assert pages[0][0] == 1
    assert pages[-1][1] == size
    assert all(before[1] < after[0] for before, after in pairwise(pages))


def test_a_page_and_a_snapshot_tell_which_messages_they_hold() -> None:
    messages = [{"n": 3, "content": "a"}, {"n": 4, "content": "b"}]
    page, snapshot = Reading("p", "page", "/", 3, 4), Reading("s", "snapshot", "session:1", 3, 4)
    assert pager.numbers_of(page, json.dumps({"results": messages}).encode()) == [3, 4]
    assert pager.numbers_of(snapshot, json.dumps({"state": {"messages": messages}}).encode()) == [3, 4]


def test_queries_are_those_of_all_databases_and_nothing_else() -> None:
    metrics = (
        b"# TYPE django_db_execute_total counter\n"
        b'django_db_execute_total{alias="default",vendor="sqlite"} 1611.0\n'
        b'django_db_execute_total{alias="other",vendor="sqlite"} 2.0\n'
        b'django_db_execute_many_total{alias="default",vendor="sqlite"} 9.0\n'
    )
    assert pager.queries_of(metrics) == 1613
    assert pager.queries_of(b"# nothing was asked yet\n") == 0


def test_an_answer_is_read_however_it_is_cut() -> None:
    body = json.dumps({"results": ["é" * 3_000]}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    request = b""
                    while not request.endswith(b"\r\n\r\n"):
                        request += connection.recv(65536)
                    assert b"GET /page HTTP/1.1\r\n" in request
                    for cut in range(0, len(answer), 700):
                        connection.sendall(answer[cut : cut + 700])

        thread = threading.Thread(target=serve)
        thread.start()
        http = pager.Http(server.getsockname()[1], {"Authorization": "Bearer t"})
        assert [http.get("/page")[1] for _ in range(2)] == [body] * 2
        thread.join()
        http.close()


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="chunked"):
        pager.content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked")


def test_a_seeds_text_is_the_same_each_time_and_long_enough() -> None:
    one, other = (seeding.text(random.Random(4), 400) for _ in range(2))
    assert one == other
    assert 400 <= len(one) <= 420


def test_a_task_survives_the_pipe() -> None:
    reading = Reading("10 newest", "page", "/v1", 1, 10)
    for viewer in (None, ViewerShape(port=1, path="/")):
        task = HistoryTask(1, {"a": "b"}, viewer, [reading], 1, 2, [3])
        assert HistoryTask.from_json(json.loads(json.dumps(task.to_json()))) == task
