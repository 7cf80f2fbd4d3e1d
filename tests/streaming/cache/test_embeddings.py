"""Similar questions found by the embeddings of a node: where the operator wants that, and never at the cost of an answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest

from hanzo_live.protocol.options import CacheOptions
from hanzolive import options
from hanzolive.nodes.embeddings import MODEL
from streaming.cache.semantic import search
from streaming.cache.semantic.embedders import the_embedder
from streaming.cache.semantic.embedding import EmbeddingUnavailable, the_model
from streaming.cache.semantic.index import Index
from streaming.cache.semantic.node_embedding import LEFT_ALONE_S, MAX_BYTES, NodeEmbedder
from streaming.cache.store import the_store
from streaming.node.configured import ConfiguredNode
from streaming.runner.worker import WorkerProcess
from tests.streaming.runner.house import Crew, Node, ask, row

SIMILAR = CacheOptions(enabled=True, semantic=True)
FRANCE = "What is the capital of France?"
SAME = "What's the capital of France?"
GOOD = {"data": [{"embedding": [3, 4.0, 0, 0, 0, 0, 0, 0]}]}


@pytest.fixture(autouse=True)
def _own_vectors() -> Iterator[None]:
    search.the_vectors.cache_clear()
    yield
    search.the_vectors.cache_clear()


@pytest.fixture
def choose(settings: Any) -> Callable[[str], None]:
    """Have that model make the embeddings; none: the one that comes along."""
    the_model()  # here and in the scripted node: nobody waits for it to be loaded

    def choose(model: str) -> None:
        settings.CACHE_EMBEDDINGS_MODEL = model
        the_embedder.cache_clear()

    return choose


class Embeddings:
    """A server that answers every POST with `status` and `body`; `asked` are the bodies that came."""

    def __init__(self, status: int, body: bytes, drips: bool) -> None:
        self.asked: list[Any] = []
        self.leaves = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not drips:
                    self.wfile.write(body)
                    return
                for at in range(len(body)):
                    if server.leaves.wait(0.05):
                        return
                    self.wfile.write(body[at : at + 1])

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def answering(status: int, body: bytes, drips: bool = False) -> Iterator[Embeddings]:
    made = Embeddings(status, body, drips)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.leaves.set()
        made.server.shutdown()
        made.server.server_close()


def embedder(url: str, **rest: Any) -> NodeEmbedder:
    return NodeEmbedder(ConfiguredNode(name="gpu", url=url), "some-model", **rest)


def asked(crew: Crew, worker: WorkerProcess, user: Any, prompt: str) -> str:
    started = ask(user, prompt, cache=SIMILAR)
    crew.carry(worker, started.stream).result(15)
    assert row(started.stream).status == "complete"
    return str(row(started.stream).cached)


def test_similar_questions_are_found_by_a_nodes_embeddings(
    crew: Crew, worker: WorkerProcess, owner: Any, choose: Callable[[str], None]
) -> None:
    choose(MODEL)
    assert asked(crew, worker, owner, FRANCE) == ""
    assert asked(crew, worker, owner, SAME) == "semantic"
    assert asked(crew, worker, owner, "What is the capital of Italy?") == ""
    assert set(crew.node.journal.embedded) == {text[:-1] for text in (FRANCE, SAME, "What is the capital of Italy?")}


def test_what_two_models_made_is_never_compared(
    crew: Crew, worker: WorkerProcess, owner: Any, choose: Callable[[str], None]
) -> None:
    """Here both are the same model, so that only its name tells them apart."""
    choose("")
    asked(crew, worker, owner, FRANCE)
    choose(MODEL)
    assert asked(crew, worker, owner, SAME) == ""
    assert asked(crew, worker, owner, "what is the capital of France?") == "semantic"
    the_store().drop([key for key, _ in the_store().all()])
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, SAME) == "semantic"
    choose("")
    assert asked(crew, worker, owner, SAME) == ""


def test_vectors_of_different_sizes_are_never_compared() -> None:
    index = Index(100)
    for size in (8, 384, 2_000):
        vector = np.ones(size, np.float32) / np.sqrt(np.float32(size))
        index.add(b"k", f"of {size}", "", vector)
        assert [near.key for near in index.search(b"k", vector, 0.99, 10)] == [f"of {size}"]
    assert index.search(b"k", np.ones(16, np.float32) / 4, 0.1, 10) == []


def test_without_its_embeddings_the_model_is_asked_and_the_same_question_still_found(
    crew: Crew, worker: WorkerProcess, owner: Any, choose: Callable[[str], None]
) -> None:
    choose("a-model-that-it-does-not-have")
    assert asked(crew, worker, owner, FRANCE) == ""
    assert asked(crew, worker, owner, SAME) == ""
    assert asked(crew, worker, owner, FRANCE) == "exact"
    assert len(crew.node.journal.embedded) == 1, "one that failed is left alone for a while"


def test_an_embedding_is_brought_to_length_one() -> None:
    with answering(200, json.dumps(GOOD).encode()) as server:
        vector = embedder(server.url).embed("Is it?")
    assert vector.tolist() == pytest.approx([0.6, 0.8, 0, 0, 0, 0, 0, 0])
    assert server.asked == [{"model": "some-model", "input": "Is it"}]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, GOOD),
        (302, GOOD),
        (200, b"no JSON"),
        (200, b""),
        (200, []),
        (200, {"data": []}),
        (200, {"data": [{"embedding": "AAAA"}]}),
        (200, {"data": [{"embedding": [1.0] * 7}]}),
        (200, {"data": [{"embedding": [1] * 4_097}]}),
        (200, {"data": [{"embedding": ["1"] * 8}]}),
        (200, {"data": [{"embedding": [True] * 8}]}),
        (200, {"data": [{"embedding": [0.0] * 8}]}),
        (200, {"data": [{"embedding": [1e308] * 8}]}),
        (200, {**GOOD, "more": "x" * MAX_BYTES}),
    ],
)
def test_what_is_no_embedding_is_none(status: int, body: Any) -> None:
    with answering(status, body if isinstance(body, bytes) else json.dumps(body).encode()) as server:
        with pytest.raises(EmbeddingUnavailable):
            embedder(server.url).embed(FRANCE)
        assert len(server.asked) == 1


def test_who_answers_drop_by_drop_is_not_waited_for() -> None:
    answer = json.dumps(GOOD).encode() + b" " * 10_000
    with answering(200, answer, drips=True) as server, pytest.raises(EmbeddingUnavailable, match="too long|timed out"):
        embedder(server.url).embed(FRANCE)


def test_a_node_that_failed_is_left_alone_for_a_while() -> None:
    now = [0.0]
    with answering(503, b"") as server:
        asking = embedder(server.url, clock=lambda: now[0])
        for _ in range(3):
            with pytest.raises(EmbeddingUnavailable):
                asking.embed(FRANCE)
        assert len(server.asked) == 1
        now[0] = LEFT_ALONE_S
        with pytest.raises(EmbeddingUnavailable):
            asking.embed(FRANCE)
        assert len(server.asked) == 2


def test_a_node_that_is_not_there_has_none() -> None:
    with pytest.raises(EmbeddingUnavailable):
        embedder("http://127.0.0.1:1").embed(FRANCE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CACHE_EMBEDDINGS_NODE": "gpu"}, "name the model"),
        ({"CACHE_EMBEDDINGS_MODEL": "m", "CACHE_EMBEDDINGS_NODE": "gpu"}, "there is no 'gpu'"),
        ({"CACHE_EMBEDDINGS_MODEL": "m", "NODE_URL": "https://api.example.com"}, "no local node"),
        (
            {"CACHE_EMBEDDINGS_MODEL": "m", "CACHE_EMBEDDINGS_NODE": "far", "NODES": '[{"name": "far", "url": "https://a.example.com"}]'},
            "must be a local node",
        ),
    ],
)  # fmt: skip
def test_the_operator_is_told_what_is_wrong(given: dict[str, str], words: str) -> None:
    with pytest.raises(options.OptionError, match=words):
        options.parsed(given)


@pytest.mark.parametrize(
    "given",
    [{}, {"NODE_URL": "http://gpu.lan:8000"}, {"NODES": '[{"name": "a", "url": "https://a.example.com"}, {"name": "b", "url": "http://b.lan"}]'}],
)  # fmt: skip
def test_a_local_node_may_make_them(given: dict[str, str]) -> None:
    values = options.parsed({"CACHE_EMBEDDINGS_MODEL": "nomic-embed-text", **given})
    assert values["CACHE_EMBEDDINGS_MODEL"] == "nomic-embed-text"


def test_the_scripted_node_makes_real_ones_and_refuses_the_rest(node: Node) -> None:
    def post(**body: Any) -> httpx.Response:
        return httpx.post(f"{node.url}/v1/embeddings", json=body, trust_env=False)

    answer = post(model=MODEL, input=[FRANCE, "Rain"]).json()
    assert [each["index"] for each in answer["data"]] == [0, 1]
    assert answer["data"][0]["embedding"] == pytest.approx(the_model().embed(FRANCE).tolist())
    assert post(model="script-echo", input="Rain").status_code == 404
    for wrong in ({}, {"input": ""}, {"input": []}, {"input": ["a"] * 33}, {"input": [1]}, {"input": "x" * 8_001}):
        assert post(model=MODEL, **wrong).status_code == 400
