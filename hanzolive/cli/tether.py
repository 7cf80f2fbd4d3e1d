"""Runs a program that must not outlive its parent: `python -I -S tether.py PARENT SIGNAL command …`.

The kernel's parent-death signal survives `exec`, so even SIGKILL of the parent leaves nothing running. Linux only;
elsewhere the program runs without it. Standard library only, for it starts before every child.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the signal was asked for
        sys.exit(1)
    os.execvp(command[0], command)


main()
