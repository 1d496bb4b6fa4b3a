"""The job of RQ's workers, which import it."""


def noop():
    return None
