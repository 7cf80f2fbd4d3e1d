"""The nodes that an operator names: what is read, what is refused, and that no key is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hanzolive.options import OptionError, load
from streaming.node import NodeConfig, NodeKind
from streaming.node.configured import NodesError, read_nodes, where_is, write_nodes

KEY = "sk-very-secret-key"
GPU = {"name": "gpu", "url": "http://gpu.lan:8000", "kind": "vllm", "weight": 2, "models": {"llama-3-8b": "meta/Llama"}}
CLOUD = {"name": "hanzo", "url": "https://api.hanzo.ai/v1", "key": KEY}


def test_it_reads_what_the_environment_carries() -> None:
    nodes = read_nodes(json.dumps([GPU, CLOUD]))
    gpu, cloud = nodes
    assert (gpu.name, gpu.kind, gpu.weight, gpu.models) == ("gpu", NodeKind.VLLM, 2, {"llama-3-8b": "meta/Llama"})
    assert (gpu.is_local, cloud.is_local) == (True, False)
    assert cloud.key.get_secret_value() == KEY
    assert read_nodes(write_nodes(nodes)) == nodes


def test_it_is_read_from_a_configuration_file(tmp_path: Any) -> None:
    (tmp_path / "hanzo-live.config.toml").write_text(
        '[[nodes]]\nname = "gpu"\nurl = "http://gpu.lan:8000"\nmodels = {"llama-3-8b" = "meta/Llama"}\n'
    )
    (node,) = read_nodes(load({}, tmp_path)["NODES"])
    assert (node.name, node.models) == ("gpu", {"llama-3-8b": "meta/Llama"})


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "at least one"),
        ('{"name": "gpu"}', "must be a list"),
        ([{"name": "gpu"}], "of node 'gpu', url: Field required"),
        ([{"url": "http://gpu.lan"}], "of node number 1, name: Field required"),
        ([GPU, GPU], "more than one node gpu"),
        ([{**GPU, "url": "gpu.lan:8000"}], "`url` is no address"),
        ([{**GPU, "url": f"http://me:{KEY}@gpu.lan"}], "belongs into `key`"),
        ([{**GPU, "name": "The GPU"}], "of node 'The GPU', name"),
        ([{**GPU, "weight": 0}], "greater than 0"),
        ([{**GPU, "only": True, "models": {}}], "`only` leaves it without a model"),
        ([{**GPU, "kind": "cray"}], "of node 'gpu', kind"),
        ([{**GPU, "api_key": KEY}], "of node 'gpu', api_key: Extra inputs"),
        ([{**GPU, "where": "moon"}], "of node 'gpu', where"),
        ([{**CLOUD, "where": "local"}], "Hanzo cloud is not local"),
        ([{**CLOUD, "key": [KEY]}], "of node 'hanzo', key"),
        ([{**GPU, "name": f"n{number}"} for number in range(101)], "names 101 nodes"),
    ],
    ids=lambda value: value if isinstance(value, str) and "`" not in value else "",
)
def test_it_refuses_in_words_that_hold_no_key(nodes: Any, said: str) -> None:
    with pytest.raises(NodesError) as refused:
        read_nodes(nodes)
    assert said in str(refused.value)
    assert KEY not in str(refused.value)


def test_an_option_that_cannot_be_read_stops_the_server(tmp_path: Any) -> None:
    with pytest.raises(OptionError, match="NODES is wrong; of node 'gpu', url"):
        load({"NODES": '[{"name": "gpu"}]'}, tmp_path)
    with pytest.raises(OptionError, match="NODES and NODE_URL are both set"):
        load({"NODES": json.dumps([GPU]), "NODE_URL": "http://localhost:8080"}, tmp_path)


def test_a_key_is_not_shown_by_what_holds_it() -> None:
    (node,) = read_nodes([CLOUD])
    config = NodeConfig(node.url, api_key=KEY, headers={"X-Api-Key": KEY})
    assert KEY not in f"{node} {node!r} {node.model_dump()} {config!r}"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://localhost:8080", "local"),
        ("http://127.0.0.1", "local"),
        ("http://[::1]:8080", "local"),
        ("http://10.1.2.3", "local"),
        ("http://node:8080", "local"),
        ("http://gpu.lan", "local"),
        ("https://api.example.com", "cloud"),
        ("http://8.8.8.8", "cloud"),
        ("https://localhost.example.com", "cloud"),
    ],
)
def test_what_is_not_surely_local_is_cloud(url: str, where: str) -> None:
    assert where_is(url) == where
