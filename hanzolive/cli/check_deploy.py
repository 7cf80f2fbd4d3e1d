"""`hanzo-live check --deploy`: what is fine to try things out, and not where strangers come. Asks; changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from hanzolive.cli.beside import set_up_django
from hanzolive.cli.configuration import Configuration
from hanzolive.cli.findings import Finding

FREE_BYTES = 1 << 30
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
CLOCKS_APART_S = 5.0


def deployment(configuration: Configuration) -> Iterator[Finding]:
    """Everything that speaks against this configuration in production."""
    yield from _web(configuration)
    yield from _keeping(configuration)
    yield from _django(configuration)


def _web(configuration: Configuration) -> Iterator[Finding]:
    if configuration["DEBUG"]:
        yield Finding("wrong", "DEBUG", "It is on: whoever causes an error is shown settings and source. Turn it off.")
    if "*" in configuration["ALLOWED_HOSTS"]:
        yield Finding("wrong", "Hosts", "ALLOWED_HOSTS takes any name, so that mails may link to anywhere. Name yours.")
    elif not configuration["ALLOWED_HOSTS"] and configuration["HOST"] in LOOPBACK:
        yield Finding("warning", "Hosts", "Only this machine's own names are answered. Set ALLOWED_HOSTS to yours.")
    if not configuration["HTTPS_ONLY"]:
        yield Finding(
            "warning", "HTTPS", "Cookies also go over http://. Put a proxy that does TLS before it, and set HTTPS_ONLY."
        )
    elif not configuration["TRUSTED_PROXIES"]:
        yield Finding(
            "wrong",
            "Proxy",
            "Nobody's word on a caller's address and scheme is believed. Name your proxy in TRUSTED_PROXIES.",
        )
    if "*" in configuration["TRUSTED_PROXIES"] and configuration["HOST"] not in LOOPBACK:
        yield Finding(
            "warning",
            "Proxy",
            "TRUSTED_PROXIES believes everybody: any caller names an address at will. Name your proxies.",
        )
    if not configuration["EMAIL_HOST"]:
        yield Finding(
            "warning",
            "E-mail",
            "No EMAIL_HOST: invitations and forgotten passwords reach nobody, addresses are not confirmed.",
        )


def _keeping(configuration: Configuration) -> Iterator[Finding]:
    folder = configuration.folder
    if folder.is_dir() and (free := shutil.disk_usage(folder).free) < FREE_BYTES:
        yield Finding("warning", "Disk", f"{free // (1 << 20)} MiB are free where {folder} is. Make room.")
    if not configuration["DATABASE_URL"].startswith(("postgres://", "postgresql://")):
        yield Finding(
            "warning", "Database", "SQLite serves one machine and few who write at once. Use PostgreSQL (DATABASE_URL)."
        )
    if not configuration["SECRET_KEY"] and "REDIS_URL" in configuration.given:
        yield Finding(
            "warning", "Secret key",
            "It is kept in this data folder; other web processes need the same one. Set SECRET_KEY for all of them.",
        )  # fmt: skip


def _django(configuration: Configuration) -> Iterator[Finding]:
    """What Django's own `check --deploy` says, and whether the database's clock is ours."""
    set_up_django(configuration)
    from django.core.checks import run_checks
    from django.db import DatabaseError, connection
    from django.utils import timezone

    for message in run_checks(include_deployment_checks=True):
        if not message.is_silenced():
            yield Finding("wrong" if message.is_serious() else "warning", "Django", f"{message.msg} ({message.id})")
    if connection.vendor != "postgresql":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
    except DatabaseError:
        return  # said already
    if apart > CLOCKS_APART_S:
        yield Finding(
            "wrong",
            "Clock",
            f"The database's clock is {apart:.0f} s from this machine's. Keep both right, by NTP for example.",
        )
