"""Django's settings, composed from `hanzolive.options`. Nothing else reads the environment."""

from __future__ import annotations

import ipaddress
import secrets
import sys
from pathlib import Path
from typing import Any

import environ

from hanzolive import options
from hanzolive.folder import data_folder, redis_url
from hanzolive.logging import configure_logging
from hanzolive.settings.panel import UNFOLD as UNFOLD
from streaming.node.configured import ConfiguredNode, read_nodes

BASE_DIR = Path(__file__).resolve().parent.parent.parent
OPTIONS = options.load()

HOST: str = OPTIONS["HOST"]
PORT: int = OPTIONS["PORT"]
DEBUG: bool = OPTIONS["DEBUG"]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


ON_LOOPBACK = is_loopback(HOST)
DATA_DIR = data_folder(OPTIONS["DATA_DIR"])


def kept_secret_key() -> str:
    """The key in the data folder, made at first use. Readable by the owner only."""
    path = DATA_DIR / "secret-key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY: str = OPTIONS["SECRET_KEY"] or kept_secret_key()

# Who may come in ------------------------------------------------------------------------------------------------

LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = [*OPTIONS["ALLOWED_HOSTS"], *(LOOPBACK_HOSTS if ON_LOOPBACK else [])] or [HOST]
ALLOWED_ORIGINS: list[str] = OPTIONS["ALLOWED_ORIGINS"]
CSRF_TRUSTED_ORIGINS = [origin for origin in ALLOWED_ORIGINS if "://" in origin]
CORS_URLS_REGEX = r"^/v1/"
CORS_ALLOWED_ORIGINS = CSRF_TRUSTED_ORIGINS
CORS_ALLOWED_ORIGIN_REGEXES = [r"^https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$"] if ON_LOOPBACK else []
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "x-request-id",
    "x-api-key",
    "x-hanzo-key",
    "ocp-apim-subscription-key",
]
CORS_EXPOSE_HEADERS = ["retry-after", "x-request-id"]
ALLOW_ANONYMOUS: bool = ON_LOOPBACK if OPTIONS["ALLOW_ANONYMOUS"] is None else OPTIONS["ALLOW_ANONYMOUS"]
SIGNUP: str = OPTIONS["SIGNUP"] or ("open" if ON_LOOPBACK else "closed")
# The server itself puts the caller's address and scheme in the place of a trusted proxy's: nothing here reads the headers.
TRUSTED_PROXIES: list[str] = OPTIONS["TRUSTED_PROXIES"]
HTTPS_ONLY: bool = OPTIONS["HTTPS_ONLY"]
METRICS_TOKEN: str = OPTIONS["METRICS_TOKEN"]
METRICS_PORT: int = OPTIONS["METRICS_PORT"]

# Limits and times -----------------------------------------------------------------------------------------------

MAX_CONNECTIONS: int = OPTIONS["MAX_CONNECTIONS"]
MAX_SOCKETS_PER_USER: int = OPTIONS["MAX_SOCKETS_PER_USER"]
MAX_HANDSHAKES_PER_SECOND: int = OPTIONS["MAX_HANDSHAKES_PER_SECOND"]
MAX_READS_PER_MINUTE: int = OPTIONS["MAX_READS_PER_MINUTE"]
MAX_WRITES_PER_MINUTE: int = OPTIONS["MAX_WRITES_PER_MINUTE"]
MAX_STREAM_STARTS_PER_MINUTE: int = OPTIONS["MAX_STREAM_STARTS_PER_MINUTE"]
MAX_SEARCHES_PER_MINUTE: int = OPTIONS["MAX_SEARCHES_PER_MINUTE"]
MAX_INVITATIONS_PER_HOUR: int = OPTIONS["MAX_INVITATIONS_PER_HOUR"]
MAX_WRONG_INVITATIONS_PER_10_MINUTES: int = OPTIONS["MAX_WRONG_INVITATIONS_PER_10_MINUTES"]
MAX_WRONG_TOKENS_PER_MINUTE: int = OPTIONS["MAX_WRONG_TOKENS_PER_MINUTE"]
MAX_SIGN_UPS_PER_HOUR: int = OPTIONS["MAX_SIGN_UPS_PER_HOUR"]
MAX_SUBSCRIPTIONS: int = OPTIONS["MAX_SUBSCRIPTIONS"]
MAX_STREAMS_PER_SOCKET: int = OPTIONS["MAX_STREAMS_PER_SOCKET"]
MAX_STREAMS_PER_USER: int = OPTIONS["MAX_STREAMS_PER_USER"]
TOKENS_PER_DAY_PER_USER: int = OPTIONS["TOKENS_PER_DAY_PER_USER"]
TOKENS_PER_DAY_PER_TENANT: int = OPTIONS["TOKENS_PER_DAY_PER_TENANT"]
PRESENCE_MAX_LISTED: int = OPTIONS["PRESENCE_MAX_LISTED"]
MAX_CONCURRENT_STREAMS: int | None = OPTIONS["MAX_CONCURRENT_STREAMS"]
MAX_FRAME_BYTES: int = OPTIONS["MAX_FRAME_BYTES"]
STREAM_TIMEOUT: float = OPTIONS["STREAM_TIMEOUT"]
NODE_CONNECT_TIMEOUT: float = OPTIONS["NODE_CONNECT_TIMEOUT"]
NODE_FIRST_BYTE_TIMEOUT: float = OPTIONS["NODE_FIRST_BYTE_TIMEOUT"]
NODE_IDLE_TIMEOUT: float = OPTIONS["NODE_IDLE_TIMEOUT"]
NODE_RETRIES: int = OPTIONS["NODE_RETRIES"]
NODE_RETRY_SECONDS: float = OPTIONS["NODE_RETRY_SECONDS"]
LOG_KEEP_HOURS: float = OPTIONS["LOG_KEEP_HOURS"]
CACHE_MAX_ENTRIES: int = OPTIONS["CACHE_MAX_ENTRIES"]
CACHE_MAX_MB: int = OPTIONS["CACHE_MAX_MB"]
CACHE_SHARED: bool = OPTIONS["CACHE_SHARED"]
CACHE_EMBEDDINGS_MODEL: str = OPTIONS["CACHE_EMBEDDINGS_MODEL"]
CACHE_EMBEDDINGS_NODE: str = OPTIONS["CACHE_EMBEDDINGS_NODE"]
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_FRAME_BYTES
FILE_UPLOAD_HANDLERS = [
    "sessions.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# The node -------------------------------------------------------------------------------------------------------

NODE_URL: str = OPTIONS["NODE_URL"] or "http://127.0.0.1:8080"
NODE_API_KEY: str = OPTIONS["NODE_API_KEY"]
NODE_MODEL: str = OPTIONS["NODE_MODEL"]
NODE_KIND: str = OPTIONS["NODE_KIND"]
NODE_MODEL_ALIASES: list[str] = OPTIONS["NODE_MODEL_ALIASES"]
NODES: tuple[ConfiguredNode, ...] = read_nodes(OPTIONS["NODES"]) if OPTIONS["NODES"] else ()

# Tools ----------------------------------------------------------------------------------------------------------

TOOL_MODULES: list[str] = OPTIONS["TOOL_MODULES"]
MCP_SERVERS: str = OPTIONS["MCP_SERVERS"]
MCP_ALLOW: list[str] = (
    (["http://localhost:8081"] if ON_LOOPBACK else []) if OPTIONS["MCP_ALLOW"] is None else OPTIONS["MCP_ALLOW"]
)
TOOLS_ASK_FIRST: list[str] = OPTIONS["TOOLS_ASK_FIRST"]
TOOL_TIMEOUT: float = OPTIONS["TOOL_TIMEOUT"]
TOOL_ROUNDS: int = OPTIONS["TOOL_ROUNDS"]
TOOL_APPROVAL_TIMEOUT: float = OPTIONS["TOOL_APPROVAL_TIMEOUT"]
TOOL_CLIENT_TIMEOUT: float = OPTIONS["TOOL_CLIENT_TIMEOUT"]
TOOL_MAX_RESULT_BYTES: int = OPTIONS["TOOL_MAX_RESULT_BYTES"]

# Who is told of streams ------------------------------------------------------------------------------------------

WEBHOOK_URLS: list[str] = OPTIONS["WEBHOOK_URLS"]
WEBHOOK_SECRET: str = OPTIONS["WEBHOOK_SECRET"]
WEBHOOK_ALLOW_PRIVATE: bool = OPTIONS["WEBHOOK_ALLOW_PRIVATE"]

# Redis: the logs, the channel layer, the broker, the cache -------------------------------------------------------

REDIS_URL: str = OPTIONS["REDIS_URL"] or redis_url(DATA_DIR)


def broker_url_of(redis_url: str) -> str:
    """kombu spells a Unix socket in its own way."""
    if redis_url.startswith("unix://"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        database = query.removeprefix("db=") or "0"
        return f"redis+socket://{path}?virtual_host={database}"
    return redis_url


# Consumers use the alias without a layer: the hub, not each socket, is the member of a group.
CHANNEL_LAYERS: dict[str, Any] = {
    "live": {
        "BACKEND": "streaming.layer.LiveChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "max_connections": 2000}]},
    },
}
CELERY_BROKER_URL: str = OPTIONS["BROKER_URL"] or broker_url_of(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "hanzo-live",
        "OPTIONS": {"max_connections": 100},
    }
}

# The database ---------------------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": environ.Env.db_url_config(OPTIONS["DATABASE_URL"] or f"sqlite:///{DATA_DIR}/db.sqlite3")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a transaction that reads first and writes later would otherwise fail at once where it should wait.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    # Requests run in threads of their own, which a connection would outlive: the process keeps a pool instead.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 20, "timeout": 10}
# django-prometheus wraps the engines to count and time queries.
DATABASES["default"]["ENGINE"] = DATABASES["default"]["ENGINE"].replace(
    "django.db.backends", "django_prometheus.db.backends"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Django ---------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before the admin, whose templates they replace.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "hanzolive.admin_app.PanelConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "sessions",
    "streaming",
    "hanzolive",
]
MIDDLEWARE = [
    "hanzolive.probes.ProbeMiddleware",
    "hanzolive.request_ids.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "hanzolive.origins.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hanzolive.middleware.SecurityHeadersMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "hanzolive.urls"
ASGI_APPLICATION = "hanzolive.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # A wheel carries them inside the package.
        "DIRS": [BASE_DIR / "templates" if (BASE_DIR / "templates").is_dir() else BASE_DIR / "hanzolive" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["hanzolive.formats"]
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = OPTIONS["MEDIA_DIR"] or DATA_DIR / "media"
MEDIA_URL = "/media/"

AUTH_USER_MODEL = "live_sessions.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["name*", "email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# Of allauth's own limits the one that operators choose; counted in Redis as well, by its cache.
ACCOUNT_RATE_LIMITS = {"signup": f"{MAX_SIGN_UPS_PER_HOUR}/h/ip" if MAX_SIGN_UPS_PER_HOUR else None}
ACCOUNT_ADAPTER = "sessions.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "sessions.account_forms.SignUpForm",
    "login": "sessions.account_forms.SignInForm",
    "reset_password": "sessions.account_forms.NewPasswordForm",
    "add_email": "sessions.addresses.ChangeEmailForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Hanzo Live"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Hanzo Live] "

# Whose JWTs count, and for whom they must be meant.
IAM_ISSUERS: list[str] = OPTIONS["IAM_ISSUERS"]
IAM_AUDIENCES: list[str] = OPTIONS["IAM_AUDIENCES"]
IAM_OWNERS: list[str] = OPTIONS["IAM_OWNERS"]
IAM_SIGNUP: str = OPTIONS["IAM_SIGNUP"] or SIGNUP
IAM_ADMINS_OF: str = OPTIONS["IAM_ADMINS_OF"]
# Signing in there with a browser.
IAM_CLIENT_ID: str = OPTIONS["IAM_CLIENT_ID"]
IAM_CLIENT_SECRET: str = OPTIONS["IAM_CLIENT_SECRET"]
IAM_NAME: str = OPTIONS["IAM_NAME"]
SOCIALACCOUNT_ADAPTER = "sessions.iam.sign_in.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": "sessions.iam.sign_in.IamProvider"}}
# Without one there is an account all the same: see `sessions.iam.accounts`.
SOCIALACCOUNT_EMAIL_REQUIRED = False

# E-mail: to an SMTP server, else into a folder, else printed ------------------------------------------------------

# A link that cannot arrive must not keep anybody out.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if OPTIONS["EMAIL_HOST"] else "none"
EMAIL_BACKEND = "django.core.mail.backends.{}.EmailBackend".format(
    "smtp" if OPTIONS["EMAIL_HOST"] else "filebased" if OPTIONS["EMAIL_FOLDER"] else "console"
)
EMAIL_HOST: str = OPTIONS["EMAIL_HOST"]
EMAIL_PORT: int = OPTIONS["EMAIL_PORT"]
EMAIL_HOST_USER: str = OPTIONS["EMAIL_USER"]
EMAIL_HOST_PASSWORD: str = OPTIONS["EMAIL_PASSWORD"]
EMAIL_USE_TLS = OPTIONS["EMAIL_SECURITY"] == "starttls"
EMAIL_USE_SSL = OPTIONS["EMAIL_SECURITY"] == "tls"
EMAIL_TIMEOUT = 15
EMAIL_FILE_PATH: str = OPTIONS["EMAIL_FOLDER"]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = OPTIONS["EMAIL_FROM"]

# The proxy that does TLS sends people from http:// to https://; what comes by http:// here is the operator's own.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
# Other names under the same domain are not ours to bind.
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
# HSTS for other names of the domain, and for browsers' preload list, is their owner's to decide; the redirect is the proxy's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "hanzolive.views.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# REST -----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "sessions.api.authentication.TokenAuthentication",
        "sessions.api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["sessions.api.parsers.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "sessions.api.negotiation.AnswersInJson",
    "DEFAULT_THROTTLE_CLASSES": ["sessions.api.throttling.Throttle"],
    "DEFAULT_SCHEMA_CLASS": "sessions.api.schema.LiveSchema",
    "EXCEPTION_HANDLER": "sessions.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    # `format` is the transcript's own parameter.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hanzo Live",
    "DESCRIPTION": "Real-time AI streaming for people and programs together.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["sessions.api.permissions.AnonymousWhereAllowed"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v1/",
    # The streams' bodies are the contract's own JSON Schema, which 3.0 knows a part of.
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "sessions.api.schema.add_examples",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "sessions.models.Role",
        "InvitedRoleEnum": "sessions.api.serializers.INVITED_ROLES",
        "MessageRoleEnum": "sessions.models.MessageRole",
        "MessageStatusEnum": "sessions.api.serializers.MESSAGE_STATUSES",
        "StreamStatusEnum": "streaming.models.StreamStatus",
    },
}

LOGGING_CONFIG = None
configure_logging(as_json=OPTIONS["LOG_FORMAT"] == "json", debug=DEBUG, testing="pytest" in sys.modules)
