"""Where the time goes, by perf: system calls per request, and the functions that take it."""
import signal
import subprocess
import time

from measure import Running

CALLS = ("recvfrom recvmsg read readv sendto sendmsg write writev epoll_wait epoll_pwait epoll_ctl accept4 close shutdown socket connect "
         "setsockopt getsockopt getsockname splice clock_gettime futex madvise mprotect brk mmap munmap ioctl fcntl").split()


def calls(world, proxy, scenario):
    """Counted by tracepoints: strace slows a proxy so much that its early reads stop failing."""
    with Running(world, proxy, scenario.listener) as running:
        world.load(running.port, scenario.load, 1)
        out = world.folder / "counts"
        events = ",".join(["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{call}" for call in CALLS)])
        perf = subprocess.Popen(["perf", "stat", "-x", ";", "-o", out, "-e", events, "-p", ",".join(map(str, running.pids))],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # perf is attached
        requests = max(1, world.load(running.port, scenario.load, 1)["requests"])
        perf.send_signal(signal.SIGINT)
        perf.wait(10)
        counts = {}
        for line in out.read_text().splitlines():
            fields = line.split(";")
            if len(fields) > 2 and fields[0].isdigit():
                counts[fields[2].split("sys_enter_")[-1]] = int(fields[0]) / requests
        total = counts.pop("raw_syscalls:sys_enter", 0)
        most = sorted(((n, call) for call, n in counts.items() if n >= 0.01), reverse=True)
        return f"{proxy.name}, {scenario.name}: {total:.2f} a request: " + ", ".join(f"{call} {n:.2f}" for n, call in most)


def functions(world, proxy, scenario):
    """Sampled on the CPU clock, so that it works without hardware counters too."""
    with Running(world, proxy, scenario.listener) as running:
        world.load(running.port, scenario.load, 1)
        out = world.folder / "perf.data"
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-o", out, "-p", ",".join(map(str, running.pids)),
                                 "--", "sleep", "3"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.load(running.port, scenario.load, 3.5)
        perf.wait(30)
        lines = [f"{proxy.name}, {scenario.name}"]
        for keys, least in (("dso", "0.5"), ("dso,symbol", "0.8")):
            report = subprocess.run(["perf", "report", "-i", out, "--stdio", "--no-children", "-s", keys, "--percent-limit", least],
                                    capture_output=True, text=True)
            lines += [line for line in report.stdout.splitlines() if "%" in line]
        return "\n".join(lines)
