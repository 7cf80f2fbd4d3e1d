"""nginx with nchan: the C module that sets the price. Published to by HTTP POST, as nchan documents."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks import payloads
from benchmarks.process import TargetUnavailable, Workshop, free_port, port_answers
from benchmarks.targets.base import Running, Send
from benchmarks.task import ViewerShape

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_CONFIG = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  nchan_shared_memory_size 256M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /live {{ nchan_subscriber websocket; nchan_channel_id live; nchan_subscriber_first_message newest; }}
    location = /publish {{ nchan_publisher; nchan_channel_id live; nchan_message_buffer_length 100; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nchan:
    """The FanoutTarget."""

    name: str = "nchan"
    title: str = "nginx + nchan"
    publisher_module: str = "benchmarks.targets.nchan"

    def start(self, shop: Workshop, viewers: int) -> Running:
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if nginx is None or not MODULE.exists():
            raise TargetUnavailable(
                "nginx with nchan is not installed: run benchmarks/setup.sh as root, "
                "or install the Debian packages nginx-light and libnginx-mod-nchan"
            )
        port = free_port()
        config = shop.folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                module=MODULE,
                folder=shop.folder,
                port=port,
                connections=viewers + 512,
                files=viewers + 1024,
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        server = shop.start("nginx", [nginx, "-p", shop.folder, "-c", config])
        shop.wait(server, lambda: port_answers(port), "it listened")
        version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
        return Running(
            viewer=ViewerShape(port=port, path="/live"),
            server_pids=server.pids,
            broker_pids=[],
            publisher={"port": port},
            version=f"{version.rpartition('/')[2].strip()} + {_module_version()}",
        )


def _module_version() -> str:
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"], capture_output=True, text=True, check=False
    )
    return f"nchan {asked.stdout}" if asked.returncode == 0 else "nchan"


@contextlib.asynccontextmanager
async def open_publisher(config: dict[str, Any]) -> AsyncIterator[Send]:
    """Posts each token's event over one kept connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", config["port"])

    async def send(number: int, text: str) -> None:
        body = orjson.dumps(payloads.event(number, text, time.time_ns() // 1_000_000))
        head = f"POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        status, _, headers = answer.partition(b"\r\n")
        if b" 20" not in status:
            raise ValueError(f"nchan refused a message: {status.decode()}")
        for header in headers.lower().split(b"\r\n"):
            if header.startswith(b"content-length:"):
                await reader.readexactly(int(header.split(b":")[1]))

    try:
        yield send
    finally:
        writer.close()
