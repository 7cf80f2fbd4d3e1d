"""The client without I/O: frames, times and lost sockets in; frames to send and events out.

Nothing here opens a socket, reads a clock or waits: `transport.py` and the clients do, and tests need neither.
"""
