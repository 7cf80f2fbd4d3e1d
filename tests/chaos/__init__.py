"""Chaos: the parts of a whole system are killed, paused and starved at random while people watch, stop, approve and write.

`make chaos` runs it; a run is repeated by its seed. What must hold is R1 to R8 of the reliability targets; `judge.py` is who says so.
"""
