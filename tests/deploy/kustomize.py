"""What `kubectl kustomize` makes of a folder under deploy/k8s, as far as those folders use it, and whether that is valid.

Known are `resources`, `namespace`, `images` and strategic merge `patches` from files; anything else is refused, so that
nothing is left out unseen. Kubernetes' own kinds are held to its published schemas (kubernetes-validate, strict); KEDA's, for
which no registry has schemas, to the part of them that is written down here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "deploy" / "k8s"
VERSIONS = ("1.31", "1.37")
KNOWN = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}
WITHOUT_NAMESPACE = {"Namespace"}

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}


def strictly(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def trigger(kind: str, metadata: dict[str, Any]) -> dict[str, Any]:
    # KEDA takes figures as text only.
    return strictly(
        {"type": {"const": kind}, "metadata": strictly(metadata)}, {"authenticationRef": strictly({"name": TEXT})}
    )


# https://keda.sh/docs/latest/reference/scaledobject-spec/ and each scaler's page.
KEDA = {
    "ScaledObject": strictly(
        {
            "scaleTargetRef": strictly({"name": TEXT}),
            "triggers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "oneOf": [
                        trigger("prometheus", {"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
                        trigger("postgresql", {"query": TEXT, "targetQueryValue": TEXT}),
                    ]
                },
            },
        },
        {
            "minReplicaCount": COUNT,
            "maxReplicaCount": COUNT,
            "pollingInterval": COUNT,
            "cooldownPeriod": COUNT,
            "advanced": strictly({"horizontalPodAutoscalerConfig": strictly({"behavior": {"type": "object"}})}),
        },
    ),
    "TriggerAuthentication": strictly(
        {"secretTargetRef": {"type": "array", "items": strictly({"parameter": TEXT, "name": TEXT, "key": TEXT})}}
    ),
}


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def built(folder: Path) -> list[dict[str, Any]]:
    """The objects of a folder with a kustomization.yaml. Raises ValueError for what is not known here, or fits nothing."""
    (told,) = documents(folder / "kustomization.yaml")
    if unknown := told.keys() - KNOWN:
        raise ValueError(f"{folder}: {', '.join(sorted(unknown))} is not known to tests/deploy/kustomize.py.")
    objects: list[dict[str, Any]] = []
    for resource in told["resources"]:
        path = folder / resource
        objects += built(path) if path.is_dir() else documents(path)
    for patch in told.get("patches", []):
        for change in documents(folder / patch["path"]):
            (target,) = (each for each in objects if identity(each) == identity(change))
            objects[objects.index(target)] = merged(target, change)
    for image in told.get("images", []):
        for container in (each for one in objects for each in containers(one)):
            if container["image"].rpartition(":")[0] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    if namespace := told.get("namespace"):
        for each in objects:
            if each["kind"] not in WITHOUT_NAMESPACE:
                each["metadata"]["namespace"] = namespace
    return objects


def identity(document: dict[str, Any]) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def merged(old: Any, new: Any) -> Any:
    """A strategic merge: of lists, those of named things are merged by name, others are replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old[key], value) if key in old else value for key, value in new.items()}
    if (
        isinstance(old, list)
        and isinstance(new, list)
        and all(isinstance(each, dict) and "name" in each for each in old + new)
    ):
        by_name = {each["name"]: each for each in new}
        kept = [merged(each, by_name.pop(each["name"], {})) for each in old]
        return [*by_name.values(), *kept]
    return new


def pod(document: dict[str, Any]) -> dict[str, Any] | None:
    """The pod's specification in a Deployment or a Job."""
    template = document.get("spec", {}).get("template")
    return template["spec"] if template else None


def containers(document: dict[str, Any]) -> list[dict[str, Any]]:
    spec = pod(document) or {}
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def faults(document: dict[str, Any]) -> list[str]:
    """What the schemas do not allow in this object."""
    kind, name = identity(document)
    if document["apiVersion"] == "keda.sh/v1alpha1":
        return [
            f"{kind} {name}: {error.json_path}: {error.message}"
            for error in Draft202012Validator(KEDA[kind]).iter_errors(document["spec"])
        ]
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            found.append(f"{kind} {name}, Kubernetes {version}: {error}")
    return found


def everything() -> list[dict[str, Any]]:
    """All objects of deploy/k8s, as an operator would apply them."""
    objects = [each for folder in ("base", "scaling", "example") for each in built(FOLDER / folder)]
    return objects + documents(FOLDER / "hanzo-live-deployment.yaml") + documents(FOLDER / "secret.example.yaml")
