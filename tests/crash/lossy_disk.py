"""A disk for a server under test that can lose its power: what was not synced by then is gone, of files
and of names, as strictly as POSIX puts it. lossy_disk/ is the library that watches the server's calls
and writes down what is stable; here the loss is played, between two servers."""

import ctypes
import dataclasses
import mmap
import os
import shutil

SECTOR_BYTES = 512
LIBRARY = os.path.join(os.environ["JOBRUNNER_BIN"], "liblossy_disk.so")


class Control(ctypes.Structure):
    """The bytes of lossy_disk/control.h."""

    _fields_ = [("armed", ctypes.c_uint32), ("calls", ctypes.c_uint32),
                ("countdown", ctypes.c_int32), ("path_begin", ctypes.c_char * 32),
                ("path_end", ctypes.c_char * 32), ("thread", ctypes.c_char * 16),
                ("pattern_size", ctypes.c_uint32), ("pattern", ctypes.c_uint8 * 32),
                ("fired", ctypes.c_uint32), ("file_calls", ctypes.c_uint32),
                ("fired_at", ctypes.c_char * 256)]


@dataclasses.dataclass
class StableState:
    """What lossy_disk/stable_state.h wrote down."""

    # {inode: length}
    lengths: dict = dataclasses.field(default_factory=dict)
    # {directory: the snapshot of its names}
    entries: dict = dataclasses.field(default_factory=dict)
    # {inode: the snapshot of what the file held when it was mapped}
    mapped: dict = dataclasses.field(default_factory=dict)


class LossyDisk:
    """The directory has disk/ with the server's files, and what the library writes down beside it."""

    def __init__(self, directory):
        self.directory = directory
        self.path = os.path.join(directory, "disk")
        for name in ("disk", "snapshots"):
            os.makedirs(os.path.join(directory, name))
        with open(os.path.join(directory, "control"), "w+b") as file:
            file.truncate(ctypes.sizeof(Control))
            self.control = Control.from_buffer(mmap.mmap(file.fileno(), 0))
        self.snapshots = 0
        self._take_as_stable()

    def environment(self, sync=True):
        """For a server that is to be watched. Without `sync` its write-ahead logs are not synced,
        and it does not know."""
        return {**os.environ, "LD_PRELOAD": LIBRARY, "LOSSY_DISK": self.directory,
                "LOSSY_DISK_SYNC": "on" if sync else "off"}

    def lose_power(self, tail):
        """Takes away what is not stable; no server may run. `tail(stable, length)` says how
        far a file's bytes are found that is stable up to `stable` and has `length`, and which
        length is. Returns how many bytes were lost."""
        stable = self._stable()
        restored = os.path.join(self.directory, "restored")
        os.mkdir(restored)
        lost = self._restore(".", restored, stable, tail)
        shutil.rmtree(self.path)
        os.rename(restored, self.path)
        self._take_as_stable()
        return lost

    def _stable(self):
        stable = StableState()
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as log:
            for line in log:
                what, first, *rest = line.split()
                if what == "synced":
                    stable.lengths[int(first)] = int(rest[0])
                elif what == "entries":
                    stable.entries[rest[0]] = first
                elif what == "mapped":
                    stable.mapped[int(rest[0])] = first
                else:
                    raise AssertionError("a file was changed where it was stable: " + line)
        return stable

    def _restore(self, directory, target, stable, tail):
        lost = 0
        for entry in os.scandir(self._snapshot(stable.entries[directory])):
            path = os.path.join(target, entry.name)
            if entry.is_dir():
                os.mkdir(path, 0o700)
                below = os.path.normpath(os.path.join(directory, entry.name))
                if below in stable.entries:
                    lost += self._restore(below, path, stable, tail)
            elif entry.inode() in stable.mapped:
                lost += restore_mapped(self._snapshot(stable.mapped[entry.inode()]), entry.path,
                                       path, tail)
            else:
                os.link(entry.path, path)
                lost += cut(path, stable.lengths.get(entry.inode(), 0), tail)
        return lost

    def _snapshot(self, name):
        return os.path.join(self.directory, "snapshots", name)

    def _take_as_stable(self):
        """All that is there now is stable."""
        shutil.rmtree(os.path.join(self.directory, "snapshots"))
        lines = []
        for directory, directories, files in os.walk(self.path):
            self.snapshots += 1
            name = f"test-{self.snapshots}"
            snapshot = self._snapshot(name)
            os.makedirs(snapshot)
            for below in directories:
                os.mkdir(os.path.join(snapshot, below), 0o700)
            for file in files:
                path = os.path.join(directory, file)
                os.link(path, os.path.join(snapshot, file))
                status = os.stat(path)
                lines.append(f"synced {status.st_ino} {status.st_size}")
            lines.append(f"entries {name} {os.path.relpath(directory, self.path)}")
        with open(os.path.join(self.directory, "log"), "w", encoding="utf-8") as log:
            log.writelines(line + "\n" for line in lines)


def cut(path, stable, tail):
    """Leaves what is stable of a file, and of the rest what `tail` says. Returns what is lost."""
    before = os.path.getsize(path)
    if before <= stable:
        return 0
    end, length = tail(stable, before)
    os.truncate(path, end)
    # Zeros.
    os.truncate(path, length)
    return before - end


def restore_mapped(before, now, target, tail):
    """A page that was written to without a call: the disk has it as it was, or as it is."""
    size = os.path.getsize(now)
    if tail(0, size) == (size, size):
        os.link(now, target)
        return 0
    shutil.copyfile(before, target)
    return size


def nothing_left(stable, _length):
    """The disk had none of it."""
    return stable, stable


def random_tail(random):
    """What a disk may have of bytes that nobody synced: none, some or all of them; or the file's new
    length, and of its bytes some sectors."""
    def tail(stable, length):
        end = random.choice((stable, length, random.randrange(stable, length + 1)))
        if random.random() < 0.7:
            return end, end
        return max(stable, end // SECTOR_BYTES * SECTOR_BYTES), length
    return tail
