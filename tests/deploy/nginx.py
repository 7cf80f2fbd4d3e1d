"""A real nginx with the project's own configuration, on ports of its own."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hanzolive.cli.child import tethered
from tests.cli.processes import until

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx"
PROGRAM = "/usr/sbin/nginx"

# What nginx needs around a file in conf.d; Debian's own nginx.conf has as much.
AROUND = """
user {user};
worker_processes 2;
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log info;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/hanzo-live.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running one. `host` and `port` are TLS's; `plain` is the port that only says where to go."""

    process: subprocess.Popen[bytes]
    place: Path
    port: int
    plain: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts this one's certificate, and nobody else's."""
        return ssl.create_default_context(cafile=str(self.certificate))

    @property
    def log(self) -> str:
        """The access log."""
        return (self.place / "access.log").read_text()

    def reload(self) -> None:
        """As `nginx -s reload`; returns once new workers take connections and the old ones only finish theirs."""
        before = self.log_of_errors.count("gracefully shutting down")
        subprocess.run([PROGRAM, "-c", str(self.place / "nginx.conf"), "-s", "reload"], check=True, capture_output=True)
        until(lambda: self.log_of_errors.count("gracefully shutting down") >= before + 2, "the old workers leave")

    @property
    def log_of_errors(self) -> str:
        return (self.place / "error.log").read_text()


def write_configuration(place: Path, upstreams: Sequence[int], static: Path, port: int, plain: int) -> Path:
    """The project's files, with this place's ports and paths where an operator puts theirs; the main file."""
    certificate(place)
    text = (CONFIGURATION / "hanzo-live.conf").read_text()
    servers = "".join(f"    server 127.0.0.1:{each} max_fails=2 fail_timeout=5s;\n" for each in upstreams)
    changes = {
        "    server 127.0.0.1:3001 max_fails=2 fail_timeout=5s;\n    server 127.0.0.1:3002 max_fails=2 fail_timeout=5s;\n": servers,
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "    listen [::]:80;\n": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "    listen [::]:443 ssl http2;\n": "",
        "client_header_timeout 10s;": "client_header_timeout 1s;",
        "/etc/nginx/tls/fullchain.pem": str(place / "certificate.pem"),
        "/etc/nginx/tls/privkey.pem": str(place / "key.pem"),
        "/var/log/nginx/hanzo-live.log": str(place / "access.log"),
    }
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    text = text.replace("live.example.com", "localhost").replace("/var/lib/hanzo-live/static", str(static))
    text = text.replace("/etc/nginx/hanzo-live-proxy.inc", str(CONFIGURATION / "hanzo-live-proxy.inc"))
    (place / "hanzo-live.conf").write_text(text)
    main = place / "nginx.conf"
    main.write_text(AROUND.format(place=place, user="root" if Path("/root").is_dir() else "nobody"))
    return main


def certificate(place: Path) -> None:
    """Self-signed, for `localhost`."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(place / "key.pem"), "-out", str(place / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def nginx(place: Path, upstreams: Sequence[int], static: Path) -> Iterator[Nginx]:
    """Serves until the end of the block. `upstreams` are the web processes' ports; `place` is an empty folder."""
    port, plain = free_port(), free_port()
    main = write_configuration(place, upstreams, static, port, plain)
    process = subprocess.Popen(tethered([PROGRAM, "-c", str(main)]), stdin=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), "nginx listens")
        yield Nginx(process, place, port, plain, place / "certificate.pem")
    finally:
        process.terminate()
        process.wait(20)


def check(place: Path) -> None:
    """`nginx -t`, to its standard error. Raises CalledProcessError for what is wrong."""
    main = write_configuration(place, [3001, 3002], place / "static", 8443, 8080)
    subprocess.run([PROGRAM, "-t", "-q", "-c", str(main)], check=True)


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
