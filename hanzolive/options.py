"""Every option an operator can set: one typed table for flags, environment, configuration file and the docs.

Order of precedence: command-line flag, environment, `hanzo-live.config.json` or `.toml`, default. This module only
describes and parses; `hanzolive.settings` reads the result, `hanzolive.cli` offers the flags.
"""

from __future__ import annotations

import ipaddress
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

CONFIG_FILES = ("hanzo-live.config.json", "hanzo-live.config.toml")

Kind = Literal["text", "int", "float", "bool", "list", "networks", "json", "secret", "nodes"]
SignUp = Literal["open", "invite", "closed"]

MAX_URL = 2_000
MAX_SECRET_FILE_BYTES = 1_000_000
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


# Addresses and lists that may have a password in them.
HOLD_PASSWORDS = {"REDIS_URL", "BROKER_URL", "DATABASE_URL", "MCP_SERVERS"}


class OptionError(ValueError):
    """A value that an option cannot take; the message says which option and what it takes."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `name` is its environment variable and (in lower case) its key in the configuration file."""

    name: str
    kind: Kind
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def file_name(self) -> str:
        """The environment variable that may name a file which holds the value; "" where the value is no secret."""
        return f"{self.name}_FILE" if self.kind in ("secret", "nodes") or self.name in HOLD_PASSWORDS else ""

    def format(self, value: Any) -> str:
        """A parsed value as the environment carries it: `parse(format(value)) == value`."""
        if isinstance(value, list):
            return ",".join(value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def parse(self, raw: Any) -> Any:
        """`raw` (text from the environment or a value from the configuration file) as this option's type."""
        if raw is None:
            return self.default
        value = self._convert(raw)
        if self.choices and value not in self.choices:
            raise OptionError(f"{self.name} must be one of {', '.join(self.choices)}, not {raw!r}.")
        if self.minimum is not None and value is not None and value < self.minimum:
            raise OptionError(f"{self.name} must be at least {self.minimum:g}, not {raw!r}.")
        if self.maximum is not None and value is not None and value > self.maximum:
            raise OptionError(f"{self.name} must be at most {self.maximum:g}, not {raw!r}.")
        return value

    def _convert(self, raw: Any) -> Any:
        match self.kind:
            case "bool":
                word = str(raw).strip().lower()
                if word in TRUE_WORDS:
                    return True
                if word in FALSE_WORDS:
                    return False
                raise OptionError(f"{self.name} must be true or false, not {raw!r}.")
            case "int" | "float":
                try:
                    return int(raw) if self.kind == "int" else float(raw)
                except (TypeError, ValueError):
                    raise OptionError(f"{self.name} must be a number, not {raw!r}.") from None
            case "nodes":
                return self._nodes(raw) if raw else ""
            case "networks":
                return self._networks(raw if isinstance(raw, list) else str(raw).split(","))
            case "list":
                items = raw if isinstance(raw, list) else str(raw).split(",")
                return [str(item).strip() for item in items if str(item).strip()]
            case "json":  # parsed by whoever knows its shape; a configuration file may hold it as it is
                return raw if isinstance(raw, str) else json.dumps(raw)
            case _:
                return str(raw)

    def _networks(self, items: list[Any]) -> list[str]:
        """Addresses and networks, or `*`. What is neither would match nobody, and nobody would know."""
        networks = [str(item).strip() for item in items if str(item).strip()]
        for network in networks:
            try:
                if network != "*":
                    ipaddress.ip_network(network)
            except ValueError:
                raise OptionError(
                    f"{self.name} holds {network!r}, which is no address (10.0.0.2) and no network (10.0.0.0/24)."
                ) from None
        return networks

    def _nodes(self, raw: Any) -> str:
        """The nodes as one JSON text: it travels in the environment."""
        from streaming.node.configured import NodesError, read_nodes, write_nodes

        try:
            return write_nodes(read_nodes(raw))
        except NodesError as error:
            raise OptionError(f"{self.name} {error} See docs/routing.md.") from None


OPTIONS: tuple[Option, ...] = (
    Option(
        "HOST",
        "text",
        "127.0.0.1",
        "Address to listen on. Off loopback, sign-up is closed and anonymous use is off unless set.",
    ),
    Option("PORT", "int", 3001, "Port to listen on; 0 takes any free one.", minimum=0, maximum=65535),
    Option(
        "NODE_URL",
        "text",
        "",
        "The inference node (any OpenAI-compatible engine). Empty: port 8080 on this machine if something answers there, else the demo model is started.",
    ),
    Option("NODE_API_KEY", "secret", "", "Key sent to the node as `Authorization: Bearer`."),
    Option("NODE_MODEL", "text", "", "Model asked for where a session names none. Empty: the node's first."),
    Option(
        "NODE_MODEL_ALIASES",
        "list",
        [],
        "Other names for the node's models, as `name=model`: who asks for `llama-3-8b` gets what the node calls it.",
    ),
    Option(
        "NODE_KIND",
        "text",
        "auto",
        "What engine the node is; `auto` asks it.",
        choices=(
            "auto",
            "openai",
            "vllm",
            "llamacpp",
            "ollama",
            "lmstudio",
            "sglang",
            "litellm",
            "hanzo-engine",
            "hanzo-node",
            "hanzo-cloud",
            "scripted",
        ),
    ),
    Option(
        "NODES",
        "nodes",
        "",
        "Several nodes instead of NODE_URL's one, as a JSON list of objects: `name`, `url`, `kind`, `key`, `models` (names that map to the node's own), `only`, `weight`, `where` (`local` or `cloud`). See docs/routing.md.",
    ),
    Option(
        "TOOL_MODULES",
        "list",
        [],
        "Python modules of yours whose functions models may call as tools (see docs/tools.md).",
    ),
    Option(
        "MCP_SERVERS",
        "json",
        "",
        'MCP servers whose tools models may call, as JSON by name: `{"time": {"command": "mcp-server-time"}, "docs": {"url": "https://mcp.example.com/mcp"}}` (see docs/tools.md).',
    ),
    Option(
        "MCP_ALLOW",
        "list",
        None,
        "Further MCP servers that clients may name: origins (`http://localhost:8081`) or whole addresses. Default: that one on loopback, else none.",
    ),
    Option(
        "TOOLS_ASK_FIRST",
        "list",
        [],
        "Tools whose calls a person has to approve, by name or pattern (`delete_*`); `*`: all of them.",
    ),
    Option("TOOL_TIMEOUT", "float", 30.0, "Seconds a tool may take without telling of progress.", minimum=0.1),
    Option(
        "TOOL_ROUNDS",
        "int",
        8,
        "How often one answer may call tools and be asked for again with what they gave.",
        minimum=1,
        maximum=100,
    ),
    Option(
        "TOOL_APPROVAL_TIMEOUT",
        "float",
        3_600.0,
        "Seconds that a tool call waits for somebody to approve it; then it counts as denied.",
        minimum=1,
    ),
    Option(
        "TOOL_CLIENT_TIMEOUT",
        "float",
        300.0,
        "Seconds that a tool call waits for the client that has to run it; then it has failed.",
        minimum=1,
    ),
    Option(
        "TOOL_MAX_RESULT_BYTES",
        "int",
        65_536,
        "Most that a model, and whoever watches, is given of what a tool gave.",
        minimum=1_000,
        maximum=190_000,
    ),
    Option(
        "REDIS_URL",
        "text",
        "",
        "Redis or Valkey that holds the logs (`redis://`, `rediss://`, `unix://`). Empty: a private one is started in the data folder.",
    ),
    Option("BROKER_URL", "text", "", "Celery's broker. Empty: the same server as REDIS_URL."),
    Option(
        "DATABASE_URL",
        "text",
        "",
        "PostgreSQL (`postgres://user:password@host/name`) or SQLite (`sqlite:///path`). Empty: SQLite in the data folder.",
    ),
    Option(
        "DATA_DIR",
        "text",
        "",
        "Folder for the database, the private Redis and the secret key. Empty: `~/.local/share/hanzo-live`.",
    ),
    Option(
        "MEDIA_DIR",
        "text",
        "",
        "Folder for uploaded pictures, the same for all web processes. Empty: `media` in the data folder.",
    ),
    Option("WORKERS", "int", 1, "Celery worker processes that `serve` starts.", minimum=0),
    Option(
        "HOUSEKEEPER",
        "bool",
        True,
        "Whether `serve` starts what sends mails and tells workers of what recurs; `false` where `hanzo-live housekeeper` does that in a place of its own.",
    ),
    Option("SERVER", "text", "daphne", "The ASGI server that `serve` runs.", choices=("daphne", "uvicorn")),
    Option(
        "START_TIMEOUT",
        "float",
        10.0,
        "Seconds `serve` waits at its start for a Redis or node of yours to answer.",
        minimum=0,
    ),
    Option(
        "LOG_FORMAT",
        "text",
        "text",
        "How log lines are written: `text` for people, `json` (one object a line) for what collects them.",
        choices=("text", "json"),
    ),
    Option(
        "LOG_TO",
        "text",
        "files",
        "Where the log lines of what `serve` runs go: `files` in the data folder's `logs`, or `stderr` (containers).",
        choices=("files", "stderr"),
    ),
    Option("MAX_CONNECTIONS", "int", 10_000, "Sockets one web process takes before it answers 4503.", minimum=1),
    Option(
        "MAX_SOCKETS_PER_USER",
        "int",
        1_000,
        "Sockets one user, and one address without a sign-in, may hold in one web process.",
        minimum=1,
    ),
    Option(
        "MAX_HANDSHAKES_PER_SECOND",
        "int",
        200,
        "New sockets a second one address may open in one web process.",
        minimum=1,
    ),
    Option(
        "MAX_READS_PER_MINUTE",
        "int",
        3_000,
        "Calls of REST that read, for each API token, each person in browsers, and each address without a sign-in, in all processes together; as many may come at once. 0: no limit, here and below.",
        minimum=0,
    ),
    Option(
        "MAX_WRITES_PER_MINUTE", "int", 600, "Calls of REST that change something, counted in the same way.", minimum=0
    ),
    Option(
        "MAX_STREAM_STARTS_PER_MINUTE",
        "int",
        300,
        "Calls of REST that ask a model or post a message, counted in the same way.",
        minimum=0,
    ),
    Option("MAX_SEARCHES_PER_MINUTE", "int", 240, "Searches, counted in the same way.", minimum=0),
    Option("MAX_INVITATIONS_PER_HOUR", "int", 60, "Invitations one person may make.", minimum=0),
    Option(
        "MAX_WRONG_INVITATIONS_PER_10_MINUTES",
        "int",
        20,
        "Wrong invitation links one address may try before it has to wait.",
        minimum=0,
    ),
    Option(
        "MAX_WRONG_TOKENS_PER_MINUTE",
        "int",
        120,
        "Calls with a wrong API token one address may make before they are answered 429.",
        minimum=0,
    ),
    Option("MAX_SIGN_UPS_PER_HOUR", "int", 60, "Accounts that may be made from one address.", minimum=0),
    Option("MAX_SUBSCRIPTIONS", "int", 100, "Logs one socket may watch at once.", minimum=1),
    Option("MAX_STREAMS_PER_SOCKET", "int", 32, "Streams one socket may have running at once.", minimum=1),
    Option(
        "MAX_STREAMS_PER_USER",
        "int",
        200,
        "Streams one person may have running or waiting, by whatever way they were started. 0: no limit, here and below.",
        minimum=0,
    ),
    Option(
        "TOKENS_PER_DAY_PER_USER",
        "int",
        0,
        "Tokens, read and written, that one person's answers may use in a day (UTC). Answers from the cache do not count.",
        minimum=0,
    ),
    Option(
        "TOKENS_PER_DAY_PER_TENANT",
        "int",
        0,
        "The same for all people of one tenant (claim `owner`) together.",
        minimum=0,
    ),
    Option(
        "PRESENCE_MAX_LISTED",
        "int",
        200,
        "People in one session who are shown one by one; above it only their number is, and cursors stop.",
        minimum=0,
    ),
    Option(
        "MAX_CONCURRENT_STREAMS",
        "int",
        None,
        "Streams that run at once, on all workers together; further ones wait for their turn. Default: 200 for each worker process.",
        minimum=1,
    ),
    Option("MAX_FRAME_BYTES", "int", 1_048_576, "Largest frame a client may send.", minimum=1024),
    Option(
        "STREAM_TIMEOUT",
        "float",
        300.0,
        "Seconds an answer may run before it is ended with `stream_timeout`.",
        minimum=1,
    ),
    Option("NODE_CONNECT_TIMEOUT", "float", 10.0, "Seconds to wait for a connection to the node.", minimum=0.1),
    Option(
        "NODE_FIRST_BYTE_TIMEOUT",
        "float",
        120.0,
        "Seconds to wait for the node's first byte of an answer.",
        minimum=0.1,
    ),
    Option(
        "NODE_IDLE_TIMEOUT",
        "float",
        60.0,
        "Seconds of silence after which a node that has begun to answer is given up.",
        minimum=0.1,
    ),
    Option(
        "NODE_RETRIES",
        "int",
        2,
        "How often a node that failed an answer is asked again before the answer fails.",
        minimum=0,
    ),
    Option(
        "NODE_RETRY_SECONDS",
        "float",
        10.0,
        "Seconds after a node's failure in which it is asked again.",
        minimum=0,
    ),
    Option(
        "LOG_KEEP_HOURS",
        "float",
        24.0,
        "How long a log outlives its last event in Redis; the transcript stays in the database.",
        minimum=1,
    ),
    Option(
        "CACHE_MAX_ENTRIES",
        "int",
        10_000,
        "Answers kept to be given again where a request asks for it (`cache`); the least recently used go first. 0: none.",
        minimum=0,
    ),
    Option("CACHE_MAX_MB", "int", 64, "Most memory of Redis that these answers take, in MiB.", minimum=1),
    Option(
        "CACHE_SHARED",
        "bool",
        False,
        "Whether everybody is given everybody's cached answers. Default: people of one tenant (claim `owner`) share theirs, others have their own.",
    ),
    Option(
        "CACHE_EMBEDDINGS_MODEL",
        "text",
        "",
        "Model of a node's `/v1/embeddings` by which similar questions are found. Empty: the small model that comes with the extra `semantic`.",
    ),
    Option(
        "CACHE_EMBEDDINGS_NODE",
        "text",
        "",
        "Which of NODES it is asked of; a local one, so that no prompt leaves your machines. Empty: the first local one.",
    ),
    Option(
        "ALLOWED_ORIGINS",
        "list",
        [],
        "Further origins whose pages may open sockets and call `/v1` (`https://app.example.com`). Our own origin always may.",
    ),
    Option(
        "ALLOWED_HOSTS",
        "list",
        [],
        "Host names this server answers to. Loopback names always work on a loopback address.",
    ),
    Option(
        "ALLOW_ANONYMOUS",
        "bool",
        None,
        "Whether people who are not signed in may start private streams. Default: only on loopback.",
    ),
    Option(
        "SIGNUP",
        "text",
        "",
        "Who may make an account: `open`, `invite` or `closed`. Default: open on loopback, else closed.",
        choices=("", *get_args(SignUp)),
    ),
    Option(
        "EMAIL_HOST",
        "text",
        "",
        "SMTP server that takes our mail. With one, people confirm their e-mail address before they come in. Empty: mail is printed, or kept in EMAIL_FOLDER.",
    ),
    Option("EMAIL_PORT", "int", 587, "Port of the SMTP server.", minimum=1, maximum=65535),
    Option("EMAIL_USER", "text", "", "Account at the SMTP server. Empty: it asks for none."),
    Option("EMAIL_PASSWORD", "secret", "", "Password of EMAIL_USER."),
    Option(
        "EMAIL_SECURITY",
        "text",
        "starttls",
        "How the connection to the SMTP server is protected: `starttls` (port 587), `tls` (port 465) or not at all.",
        choices=("starttls", "tls", "none"),
    ),
    Option(
        "EMAIL_FOLDER",
        "text",
        "",
        "Folder in which each mail becomes a file, where no EMAIL_HOST is set: for trying out.",
    ),
    Option(
        "EMAIL_FROM",
        "text",
        "Hanzo Live <no-reply@localhost>",
        "Sender of our mail, as `Name <address>` or an address.",
    ),
    Option(
        "IAM_ISSUERS",
        "list",
        [],
        "Issuers of OpenID Connect whose JWTs are accepted as bearers (`https://hanzo.id`), as their `iss` says. Empty: none.",
    ),
    Option("IAM_AUDIENCES", "list", [], "For whom such a JWT must be meant: one of these is in its `aud`."),
    Option(
        "IAM_CLIENT_ID",
        "text",
        "",
        "Our client id at the first of IAM_ISSUERS. With one, people can sign in there; its redirect address is `/accounts/oidc/iam/login/callback/` on this server.",
    ),
    Option("IAM_CLIENT_SECRET", "secret", "", "Secret of IAM_CLIENT_ID. Empty: a public client, with PKCE alone."),
    Option("IAM_NAME", "text", "Hanzo", "What the button calls the first of IAM_ISSUERS."),
    Option(
        "IAM_SIGNUP",
        "text",
        "",
        "Which people of IAM_ISSUERS get an account when they first come: `open` (all), `invite` or `closed` (none). Default: as SIGNUP.",
        choices=("", *get_args(SignUp)),
    ),
    Option("IAM_OWNERS", "list", [], "Tenants (claim `owner`) whose people may come in. Empty: all of the issuers'."),
    Option(
        "IAM_ADMINS_OF",
        "text",
        "",
        "The tenant (claim `owner`) whose admins (`isAdmin`) are admins here, and whose others are not, looked at whenever they sign in. Empty: being admin there means nothing here.",
    ),
    Option(
        "WEBHOOK_URLS",
        "list",
        [],
        "Addresses that are told when a stream starts, completes or fails (see docs/webhooks.md). Empty: none.",
    ),
    Option("WEBHOOK_SECRET", "secret", "", "Signs webhooks: `whsec_` and base64, or any text. WEBHOOK_URLS needs it."),
    Option(
        "WEBHOOK_ALLOW_PRIVATE",
        "bool",
        False,
        "Whether webhooks may go to addresses inside your network, and by plain `http://`.",
    ),
    Option("SECRET_KEY", "secret", "", "Signs cookies. Empty: made once and kept in the data folder."),
    Option(
        "TRUSTED_PROXIES",
        "networks",
        [],
        "Addresses and networks of your proxies, whose `X-Forwarded-For` and `-Proto` are believed. `*` believes everybody: only where nobody else can connect.",
    ),
    Option(
        "HTTPS_ONLY",
        "bool",
        False,
        "Whether people come by `https://` alone: cookies go nowhere else, and browsers are told so for a year. Set it where a proxy of yours does TLS.",
    ),
    Option(
        "METRICS_TOKEN",
        "secret",
        "",
        "With it as a bearer Prometheus may read `/metrics` from another machine. Empty: this machine and admins alone may.",
    ),
    Option(
        "METRICS_PORT",
        "int",
        0,
        "Port at which a `hanzo-live worker` or `housekeeper` in a place of its own tells Prometheus its figures, to whoever can connect. 0: none; those on a server's data folder tell them by its `/metrics`.",
        minimum=0,
        maximum=65535,
    ),
    Option("DEBUG", "bool", False, "Django's debug pages. Never on a machine that others reach."),
)

BY_NAME = {option.name: option for option in OPTIONS}


def read_config_file(folder: Path) -> dict[str, Any]:
    """The values of the first configuration file in `folder`; empty without one.

    Keys may be written as in the environment, in lower case, or in the flags' form (`node-url`).

    Raises OptionError for a file that cannot be parsed or names an option that does not exist.
    """
    for name in CONFIG_FILES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            text = path.read_text("utf-8")
            values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise OptionError(f"{path} cannot be read: {error}.") from error
        if not isinstance(values, dict):
            raise OptionError(f"{path} must hold one object of options.")
        named = {key.replace("-", "_").upper(): value for key, value in values.items()}
        if unknown := sorted(set(named) - set(BY_NAME)):
            raise OptionError(
                f"{path} names options that do not exist: {', '.join(unknown)}. See docs/configuration.md."
            )
        return named
    return {}


def load(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> dict[str, Any]:
    """Every option by name, parsed. Raises OptionError with a sentence for the operator."""
    return parsed(given(environ, folder))


def parsed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Every option by name, from what was given. Raises OptionError, also where options do not go together."""
    values = {option.name: option.parse(raw.get(option.name)) for option in OPTIONS}
    if values["IAM_CLIENT_ID"] and not values["IAM_ISSUERS"]:
        raise OptionError("IAM_CLIENT_ID needs to know whose it is: name the issuer in IAM_ISSUERS.")
    if values["WEBHOOK_URLS"] and not values["WEBHOOK_SECRET"]:
        raise OptionError("WEBHOOK_URLS needs a WEBHOOK_SECRET, so that receivers can tell who sends. Make one up.")
    schemes = ("https://", "http://") if values["WEBHOOK_ALLOW_PRIVATE"] else ("https://",)
    if any(not url.startswith(schemes) or len(url) > MAX_URL for url in values["WEBHOOK_URLS"]):
        raise OptionError(
            "WEBHOOK_URLS must be addresses that begin with https://; WEBHOOK_ALLOW_PRIVATE allows http:// as well."
        )
    if values["NODES"] and (alone := [name for name in ("NODE_URL", "NODE_API_KEY") if values[name]]):
        raise OptionError(
            f"NODES and {' and '.join(alone)} are both set: put that node into NODES, or leave NODES out."
        )
    if values["CACHE_EMBEDDINGS_MODEL"] or values["CACHE_EMBEDDINGS_NODE"]:
        _require_embeddings_node(values)
    if values["MCP_SERVERS"]:
        from streaming.tools.mcp_configured import configured_servers

        try:
            configured_servers(values["MCP_SERVERS"])
        except ValueError as error:
            raise OptionError(str(error)) from None
    return values


def _require_embeddings_node(values: Mapping[str, Any]) -> None:
    from streaming.node.configured import NodesError, embeddings_node, read_nodes

    if not values["CACHE_EMBEDDINGS_MODEL"]:
        raise OptionError("CACHE_EMBEDDINGS_NODE needs to know what to ask: name the model in CACHE_EMBEDDINGS_MODEL.")
    only = {"name": "default", "url": values["NODE_URL"] or "http://127.0.0.1:8080", "kind": values["NODE_KIND"]}
    try:
        embeddings_node(read_nodes(values["NODES"] or [only]), values["CACHE_EMBEDDINGS_NODE"])
    except NodesError as error:
        raise OptionError(f"CACHE_EMBEDDINGS_NODE {error}") from None


def given(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> dict[str, Any]:
    """What was given by name, unparsed: the environment before the configuration file. Empty variables count as unset.

    Raises OptionError for a configuration file, or a file with a secret, that cannot be read.
    """
    values = read_config_file(folder or Path.cwd())
    return values | read_secret_files(environ) | {name: environ[name] for name in BY_NAME if environ.get(name)}


def read_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """The values of options whose `NAME_FILE` names a file, as Docker and Kubernetes hand secrets over.

    Raises OptionError for a file that cannot be read or is empty, and where `NAME` is set as well.
    """
    values = {}
    for option in OPTIONS:
        name = option.file_name
        if not name or not environ.get(name):
            continue
        if environ.get(option.name):
            raise OptionError(f"{option.name} and {name} are both set: leave one of them out.")
        values[option.name] = _secret_in(name, Path(environ[name]))
    return values


def _secret_in(name: str, path: Path) -> str:
    """The text of the file that the variable `name` names, without white space around it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_FILE_BYTES + 1)
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise OptionError(f"{name} names {path}, which is not text in UTF-8.") from None
    except OSError as error:
        raise OptionError(f"{name} names {path}, which cannot be read: {error.strerror}.") from error
    if len(content) > MAX_SECRET_FILE_BYTES:
        raise OptionError(f"{name} names {path}, which is larger than {MAX_SECRET_FILE_BYTES:,} bytes: no secret.")
    if not text:
        raise OptionError(f"{name} names {path}, which is empty.")
    return text
