"""The Django project: settings, ASGI, URLs, Celery and the `hanzo-live` command. Composition only."""
