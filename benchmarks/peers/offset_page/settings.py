"""Hanzo Live's own settings with one address: all else is equal."""

from hanzolive.settings import *  # noqa: F403

ROOT_URLCONF = "offset_page.urls"
