"""The LiteLLM proxy before the same node: one worker, a master key, no database, no callbacks, its log silent."""

from __future__ import annotations

import json
import secrets
import subprocess
from dataclasses import dataclass

from benchmarks.asker import Place
from benchmarks.process import ROOT, TargetUnavailable, Workshop, free_port, http_answers
from benchmarks.targets.base import AskRunning, Scripts
from benchmarks.targets.scripted_node import CHAT_PATH

VENV = ROOT / ".make" / "litellm-venv"


@dataclass(frozen=True, slots=True)
class LiteLLM:
    """The AskTarget."""

    name: str = "litellm"
    title: str = "LiteLLM proxy"

    def start(self, shop: Workshop, node_port: int, scripts: Scripts) -> AskRunning:
        program = VENV / "bin" / "litellm"
        if not program.exists():
            raise TargetUnavailable("litellm[proxy] is not installed: run benchmarks/setup.sh")
        config = shop.folder / "litellm.yaml"  # JSON is YAML
        upstream = {"api_base": f"http://127.0.0.1:{node_port}/v1", "api_key": "none"}
        models = [
            {"model_name": name, "litellm_params": {"model": f"openai/{script}", **upstream}}
            for name, script in scripts.items()
        ]
        settings = {"request_timeout": 300, "telemetry": False, "set_verbose": False}
        config.write_text(json.dumps({"model_list": models, "litellm_settings": settings}))
        port = free_port()
        key = f"sk-{secrets.token_hex(32)}"  # made for this run: the proxy refuses to start without one
        env = {
            "LITELLM_MASTER_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
        }
        # fmt: off
        command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
                   "--num_workers", "1", "--telemetry", "False"]
        # fmt: on
        child = shop.start("litellm", command, env=env, cwd=shop.folder)
        shop.wait(child, lambda: http_answers(port, "/health/liveliness"), "LiteLLM answered", 60)
        asked = subprocess.run(
            [VENV / "bin" / "python", "-c", "from importlib.metadata import version; print(version('litellm'))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return AskRunning(
            Place("sse", port, CHAT_PATH, {"Authorization": f"Bearer {key}"}),
            f"litellm {asked.stdout.strip()}",
            child.pids,
            {name: name for name in scripts},  # it reads commas in a name as several models
        )
