"""Named points in the life of a server at which it is killed, by the library of lossy_disk/ that sees
its system calls: the server itself has no code for it."""

import dataclasses

WRITTEN, TORN, SYNCED, RENAMED, UNLINKED, LINKED, CREATED, SENT = (1 << bit for bit in range(8))
# Of files.
ANY = WRITTEN | TORN | SYNCED | RENAMED | UNLINKED | LINKED | CREATED


@dataclasses.dataclass(frozen=True)
class KillPoint:
    """Which calls, as lossy_disk/control.h says it."""

    calls: int
    path_begin: str = ""
    path_end: str = ""
    thread: str = ""
    pattern: bytes = b""


def arm(control, point, passing):
    """From now on the server is killed at its `passing`-th call, from 1, of those that are meant."""
    disarm(control)
    control.fired = 0
    control.fired_at = b""
    control.calls = point.calls
    control.countdown = passing
    control.path_begin = point.path_begin.encode()
    control.path_end = point.path_end.encode()
    control.thread = point.thread.encode()
    control.pattern_size = len(point.pattern)
    control.pattern[:len(point.pattern)] = point.pattern
    # Last: it is this that the server looks at first.
    control.armed = 1


def disarm(control):
    control.armed = 0
