"""What the kernel says of processes and cores, and where a process runs."""
import os
import re
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Cores:
    """The core of the proxy, and the one that the load generator and the backends share."""

    def __init__(self, wanted=None, outrank=True):
        usable = sorted(os.sched_getaffinity(0))
        self.proxy, self.load = wanted or (usable[0], usable[min(1, len(usable) - 1)])
        self.outrank = outrank

    def start(self, core, argv, **options):
        """A process on this core, before all others of the machine where that is allowed (root)."""

        def place():
            os.sched_setaffinity(0, {core})
            if self.outrank:
                try:
                    os.setpriority(os.PRIO_PROCESS, 0, -15)
                except PermissionError:
                    pass

        return subprocess.Popen([str(a) for a in argv], preexec_fn=place, **options)

    def ask(self, core, argv, seconds):
        """What a process on this core prints; it must end well within this time."""
        process = self.start(core, argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f"{argv[0]} took longer than {seconds:.0f} s") from None
        if process.returncode:
            raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {(out + said)[-300:].strip()}")
        return out

    def busy(self):
        """The busier of the two cores, as a share of it, for one second."""
        before, begin = [busy_seconds(c) for c in (self.proxy, self.load)], time.monotonic()
        time.sleep(1)
        spent = time.monotonic() - begin
        return max(busy_seconds(c) - b for c, b in zip((self.proxy, self.load), before)) / spent

    def wait_for_quiet(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.busy() > 0.1:
            pass


def busy_seconds(core):
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _wait, *rest = [int(n) for n in line.split()[1:]]
            return (user + nice + system + sum(rest[:3])) / TICKS
    return 0.0


def family(pid):
    """This process and all that come from it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat[stat.rindex(")") + 2:].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu(pids):
    """(nanoseconds on a core, exact; user ticks; system ticks) of all threads of these processes."""
    spent = user = system = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            fields = stat[stat.rindex(")") + 2:].split()
            user += int(fields[11])
            system += int(fields[12])
            for thread in Path(f"/proc/{pid}/task").iterdir():
                spent += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            pass  # it ended meanwhile
    return spent, user, system


def memory_kib(pids, key):
    """`VmRSS` (now) or `VmHWM` (at most until now)."""
    total = 0
    for pid in pids:
        try:
            found = re.search(rf"{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total
