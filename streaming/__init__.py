"""How it is said: the log, the hub, the sockets, the runner and the node client."""
