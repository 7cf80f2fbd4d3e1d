"""The operator's commands: `serve` and its supervisor, `worker`, `user`, `check`. Nothing here knows what a stream is."""
