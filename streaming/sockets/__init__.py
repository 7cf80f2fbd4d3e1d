"""What stands around a socket: who may open one, what it may ask, and when its rights end."""
