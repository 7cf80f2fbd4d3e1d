"""deploy/k8s: that its parts agree with one another, with the image, the options and the seed. Schemas: `make check`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from prometheus_client import REGISTRY

from hanzolive.options import BY_NAME, OPTIONS, load
from streaming.hub import metrics as hub_metrics
from streaming.models import OPEN, StreamStatus
from tests.cli.processes import hanzo_live
from tests.deploy.kustomize import FOLDER, built, containers, documents, faults, identity, pod

FILES = {option.file_name for option in OPTIONS if option.file_name}
# `serve` stops everything that it started in that time: hanzolive/cli/programs.py.
SERVE_STOPS_WITHIN_S = 10
Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def base() -> Objects:
    return {identity(each): each for each in built(FOLDER / "base")}


@pytest.fixture(scope="module")
def example() -> Objects:
    return {identity(each): each for each in built(FOLDER / "example")}


def of_kind(objects: Objects, kind: str) -> list[dict[str, Any]]:
    return [each for (found, _), each in objects.items() if found == kind]


def pods(objects: Objects) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(each, spec) for each in objects.values() if (spec := pod(each))]


def test_the_seeds_deployment_is_kept_to_the_letter() -> None:
    """But for three variables more: one address to listen on, and what several replicas have to share."""
    deployment, service = documents(FOLDER / "hanzo-live-deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    added = [each["name"] for each in container["env"][2:]]
    assert added == ["HOST", "SECRET_KEY", "DATABASE_URL"]
    del container["env"][2:]
    assert deployment == yaml.safe_load("""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: hanzo-live}
        spec:
          replicas: 3
          selector: {matchLabels: {app: hanzo-live}}
          template:
            metadata: {labels: {app: hanzo-live}}
            spec:
              containers:
              - name: hanzo-live
                image: hanzoai/live-server:latest
                ports: [{containerPort: 3001}]
                env:
                - {name: NODE_URL, value: "http://hanzo-node:8080"}
                - {name: REDIS_URL, value: "redis://redis:6379"}
                resources:
                  requests: {memory: 512Mi, cpu: 500m}
                  limits: {memory: 2Gi, cpu: 2000m}
                livenessProbe:
                  httpGet: {path: /health, port: 3001}
                  initialDelaySeconds: 10
                  periodSeconds: 30
                readinessProbe:
                  httpGet: {path: /ready, port: 3001}
                  initialDelaySeconds: 5
                  periodSeconds: 10
    """)
    assert service == yaml.safe_load("""
        apiVersion: v1
        kind: Service
        metadata: {name: hanzo-live}
        spec:
          type: LoadBalancer
          ports: [{port: 3001, targetPort: 3001, protocol: TCP}]
          selector: {app: hanzo-live}
    """)


def test_variables_are_options_and_can_be_read(base: Objects, tmp_path: Path) -> None:
    options = base["ConfigMap", "hanzo-live"]["data"]
    (secret,) = documents(FOLDER / "secret.example.yaml")
    files = {}
    for name in options.keys() & FILES:
        key = options[name].rpartition("/")[2]
        files[name] = str(tmp_path / key)
        (tmp_path / key).write_text(secret["stringData"][key])
    assert len(files) == len(secret["stringData"])
    given = load({**options, **files}, tmp_path)
    assert given["DATABASE_URL"] == secret["stringData"]["database-url"]
    for document, spec in pods(base):
        for container in containers(document):
            assert container["envFrom"] == [{"configMapRef": {"name": "hanzo-live"}}]
            assert {each["name"] for each in container.get("env", [])} <= BY_NAME.keys()
            (mounted,) = (each for each in container["volumeMounts"] if each["name"] == "secrets")
            assert all(options[name].startswith(mounted["mountPath"] + "/") for name in files)
        (volume,) = (each for each in spec["volumes"] if each["name"] == "secrets")
        assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    assert options.keys() <= BY_NAME.keys() | FILES


def test_commands_are_there(base: Objects) -> None:
    helped = hanzo_live("--help").stdout
    commands = {container["command"][1] for document, _ in pods(base) for container in containers(document)}
    assert commands == {"serve", "worker", "housekeeper", "migrate"}
    for command in commands:
        assert re.search(rf"^    {command}\b", helped, re.MULTILINE), command


def test_no_container_has_more_rights_than_it_needs(base: Objects) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (FOLDER.parent / "docker" / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    for document, spec in pods(base):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == int(user[1])
        assert spec["automountServiceAccountToken"] is False
        writable = {each["name"] for each in spec["volumes"] if "secret" not in each}
        for container in containers(document):
            rights = container["securityContext"]
            assert (rights["readOnlyRootFilesystem"], rights["allowPrivilegeEscalation"]) == (True, False)
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"].keys() == {"requests", "limits"}
            mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert mounted["data"] == "/data"
            assert mounted.keys() - {"secrets"} <= writable


def test_web_processes_are_probed_and_drain_before_they_are_ended(base: Objects) -> None:
    spec = pod(base["Deployment", "hanzo-live-web"])
    assert spec
    (web,) = spec["containers"]
    ports = {each["name"]: each["containerPort"] for each in web["ports"]}
    assert ports == {"http": BY_NAME["PORT"].default}
    probes = {name: web[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/health", "liveness": "/health", "readiness": "/ready",
    }  # fmt: skip
    assert {probe["port"] for probe in probes.values()} == {"http"}
    before = int(web["lifecycle"]["preStop"]["exec"]["command"][1])
    assert before >= web["readinessProbe"]["periodSeconds"]
    assert spec["terminationGracePeriodSeconds"] >= before + SERVE_STOPS_WITHIN_S + 10
    assert {each["name"]: each["value"] for each in web["env"]} == {"WORKERS": "0", "HOUSEKEEPER": "false"}


def test_selectors_find_their_pods(base: Objects) -> None:
    labels = {
        document["metadata"]["name"]: document["spec"]["template"]["metadata"]["labels"] for document, _ in pods(base)
    }

    def found(selector: dict[str, str]) -> set[str]:
        return {name for name, own in labels.items() if selector.items() <= own.items()}

    for document in of_kind(base, "Deployment"):
        assert found(document["spec"]["selector"]["matchLabels"]) == {document["metadata"]["name"]}
    for budget in of_kind(base, "PodDisruptionBudget"):
        assert found(budget["spec"]["selector"]["matchLabels"]) == {budget["metadata"]["name"]}
    assert found(base["Service", "hanzo-live"]["spec"]["selector"]) == {"hanzo-live-web"}
    policies = {
        each["metadata"]["name"]: found(each["spec"]["podSelector"]["matchLabels"])
        for each in of_kind(base, "NetworkPolicy")
    }
    (figures,) = base["NetworkPolicy", "hanzo-live-metrics"]["spec"]["podSelector"]["matchExpressions"]
    assert policies == {
        "hanzo-live": set(labels),
        "hanzo-live-web": {"hanzo-live-web"},
        "hanzo-live-metrics": set(labels),
    }
    for part in figures["values"]:
        (container,) = (pod(base["Deployment", f"hanzo-live-{part}"]) or {})["containers"]
        port = int(base["ConfigMap", "hanzo-live"]["data"]["METRICS_PORT"])
        assert container["ports"] == [{"name": "metrics", "containerPort": port}]
    assert base["Deployment", "hanzo-live-beat"]["spec"]["replicas"] == 1


def test_the_address_leads_to_the_web_processes(base: Objects) -> None:
    ingress, service = base["Ingress", "hanzo-live"]["spec"], base["Service", "hanzo-live"]
    (rule,) = ingress["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {
        "name": service["metadata"]["name"],
        "port": {"name": service["spec"]["ports"][0]["name"]},
    }
    assert rule["host"] == ingress["tls"][0]["hosts"][0] == base["ConfigMap", "hanzo-live"]["data"]["ALLOWED_HOSTS"]


def test_the_example_changes_what_it_names_and_nothing_else(base: Objects, example: Objects) -> None:
    assert {each["metadata"]["namespace"] for each in example.values()} == {"hanzo-live"}
    images = {container["image"] for document, _ in pods(example) for container in containers(document)}
    assert images == {"ghcr.io/hanzoai/live-server:0.1.0"}
    assert example["Ingress", "hanzo-live"]["spec"]["rules"][0]["host"] == "chat.example.org"
    options, before = (each["ConfigMap", "hanzo-live"]["data"] for each in (example, base))
    assert {name for name in options if options[name] != before[name]} == {"ALLOWED_HOSTS", "NODE_URL"}
    (worker,) = (pod(example["Deployment", "hanzo-live-worker"]) or {})["containers"]
    assert worker["resources"]["limits"] == {"memory": "4Gi", "cpu": "2000m"}
    assert worker["command"] == ["hanzo-live", "worker"]


def test_it_grows_by_figures_that_there_are(example: Objects) -> None:
    scaled = of_kind(example, "ScaledObject")
    for each in scaled:
        assert ("Deployment", each["spec"]["scaleTargetRef"]["name"]) in example
        assert (
            each["spec"]["minReplicaCount"]
            == example["Deployment", each["spec"]["scaleTargetRef"]["name"]]["spec"]["replicas"]
        )
    triggers = [trigger for each in scaled for trigger in each["spec"]["triggers"]]
    (sockets,) = (each["metadata"]["query"] for each in triggers if each["type"] == "prometheus")
    assert hub_metrics.SOCKETS in REGISTRY._collector_to_names
    assert re.fullmatch(r"sum\((\w+)\)", sockets)[1] in REGISTRY._collector_to_names[hub_metrics.SOCKETS]  # type: ignore[index]
    for query in (each["metadata"]["query"] for each in triggers if each["type"] == "postgresql"):
        table, words = re.fullmatch(r"SELECT count\(\*\) FROM (\w+) WHERE status (?:=|IN) (.+)", query).groups()  # type: ignore[union-attr]
        stream = apps.get_model("streaming", "Stream")
        assert table == stream._meta.db_table
        assert stream._meta.get_field("status").column == "status"
        assert set(re.findall(r"'(\w+)'", words)) in ({StreamStatus.QUEUED.value}, {each.value for each in OPEN})


def test_a_fault_would_be_found(base: Objects, example: Objects) -> None:
    worker = base["Deployment", "hanzo-live-worker"]
    assert faults({**worker, "spec": {**worker["spec"], "replica": 2}})
    assert faults({**worker, "apiVersion": "apps/v2"})
    scaled = example["ScaledObject", "hanzo-live-web"]
    assert faults({**scaled, "spec": {**scaled["spec"], "minReplicas": 3}})
