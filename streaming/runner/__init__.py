"""What a worker does: claim a stream, ask the node, write its answer to the log, save it; and take over from the lost.

`worker` is the process, `run` one stream; whose a stream is, is decided in `lifecycle` and `leases`.
"""
