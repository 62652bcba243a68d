"""One sample: a fresh proxy, a warm-up, then the load that is measured."""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
from proxies import IP, Place
from scenarios import BROWSER, LARGE

HERE = Path(__file__).resolve().parent
WARM_UP = 0.4  # seconds


class Failed(Exception):
    """Why there is no sample."""


class World:
    """The backends, the folder and the ports of a run."""

    def __init__(self, cores, tools):
        self.cores, self.tools = cores, tools

    def __enter__(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.held = tempfile.TemporaryDirectory(prefix="side-by-side.")
        self.folder = Path(self.held.name)
        self.folder.chmod(0o755)  # nginx may become another user
        (self.folder / "browser.request").write_text(BROWSER)
        kinds = ("http", "cookie", "tcp", "tls_rsa", "tls_ec")
        *ports, first, second = free_ports(len(kinds) + 2)
        self.ports, self.backends = dict(zip(kinds, ports)), [first, second]
        make_certificates(self.folder)
        self.backend = self.cores.start(self.cores.load, [self.tools / "backend", *self.backends])
        for port in self.backends:
            wait_for(port, self.backend, "the backend")
        return self

    def __exit__(self, *_):
        self.backend.terminate()
        self.backend.wait()
        self.held.cleanup()

    def load(self, port, arguments, seconds):
        """What the load generator counted."""
        argv = [self.tools / "loadgen", "-p", port, "-d", seconds, *arguments]
        argv = [self.folder / a if a == "browser.request" else a for a in argv]
        return last_line(self.cores.ask(self.cores.load, argv, seconds + 30))

    def speed(self):
        """CPU milliseconds of a fixed piece of work on the proxy's core: how fast the core is just now."""
        return float(self.cores.ask(self.cores.proxy, [self.tools / "calib"], 30).split()[0])


class Running:
    """A proxy at work."""

    def __init__(self, world, proxy, kind):
        self.folder = world.folder / proxy.name
        self.folder.mkdir(exist_ok=True)
        for file in world.folder.glob("*.pem"):
            (self.folder / file.name).write_bytes(file.read_bytes())
        for file in world.folder.glob("*.key"):
            (self.folder / file.name).write_bytes(file.read_bytes())
        place = Place(self.folder, world.ports, world.backends)
        for port in world.ports.values():
            if listens(port):  # it would share the load (SO_REUSEPORT)
                raise Failed(f"port {port} is served by something else")
        proxy.configure(place)
        home = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        with open(self.folder / "said", "wb") as said:
            self.process = world.cores.start(
                world.cores.proxy, [proxy.program, *proxy.command(place)], env={**os.environ, **home, **proxy.environment},
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        self.port = proxy.port(place, kind)
        try:
            wait_for(self.port, self.process, proxy.name)
        except Failed as why:
            self.stop()
            raise Failed(f"{why}: {(self.folder / 'said').read_text(errors='replace')[-300:].strip()}") from None
        time.sleep(0.3)  # its workers are started by now
        self.pids = machine.family(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for which, patience in ((signal.SIGTERM, 1), (signal.SIGKILL, 5)):
            for pid in machine.family(self.process.pid):
                try:
                    os.kill(pid, which)
                except ProcessLookupError:
                    pass
            try:
                self.process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                pass


def sample(world, proxy, scenario, seconds):
    with Running(world, proxy, scenario.listener) as running:
        if scenario.name == "idle":
            return idle(world, running)
        if scenario.name == "idle-tls":
            return idle(world, running, [sys.executable, HERE / "idle_tls.py", running.port, 3000])
        if scenario.name == "mixed":
            return mixed(world, running, seconds)
        return loaded(world, running, scenario, seconds)


def loaded(world, running, scenario, seconds):
    world.load(running.port, scenario.load, WARM_UP)
    speed = world.speed()
    meter = Meter(world, running)
    got = world.load(running.port, scenario.load, seconds)
    got.update(meter.read(), speed_ms=(speed + world.speed()) / 2, rss_kib=machine.memory_kib(running.pids, "VmHWM"))
    spent = got["cpu_ns"]
    got["cpu_us"] = spent / 1e3 / max(1, got["requests"])
    if scenario.cost == LARGE:
        got["gb_per_s"] = got["bytes"] / 1e9 / seconds
        got["cpu_ms_per_gb"] = spent / 1e6 / max(1e-9, got["bytes"] / 1e9)
    return got


def mixed(world, running, seconds):
    """The tail of small requests beside bulk, and the same past the proxy: what part of it the load generator makes itself."""
    small = ("-c", 1, "-R", 200, "-u", "/1k")
    whole = 2 * seconds + 2.5
    bulk = world.cores.start(world.cores.load, [world.tools / "loadgen", "-p", running.port, "-d", whole, "-c", 32, "-u", "/1m", "-R", 350],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)  # all 32 are at it
    meter = Meter(world, running)
    got = world.load(running.port, small, seconds)
    got.update(meter.read())
    past = world.load(world.backends[0], small, seconds)
    big = last_line(bulk.communicate(timeout=whole + 30)[0])
    rate = big["bytes"] / 1e9 / whole
    got.update(errors=got["errors"] + past["errors"] + big["errors"], past_p50_us=past["p50_us"], past_p99_us=past["p99_us"], gb_per_s=rate,
               cpu_ms_per_gb=got["cpu_ns"] / 1e6 / max(1e-9, rate * got["measured_s"]), rss_kib=machine.memory_kib(running.pids, "VmHWM"))
    return got


def idle(world, running, holds=None):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 500  # up to two descriptors each
    before = machine.memory_kib(running.pids, "VmRSS")
    holds = holds or [world.tools / "loadgen", "-p", running.port, "-I", "-c", min(9500, most)]
    holder = world.cores.start(world.cores.load, holds, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    got = json.loads(holder.stdout.readline())
    time.sleep(2)  # buffers are given back with a delay
    after = machine.memory_kib(running.pids, "VmRSS")
    meter = Meter(world, running)
    time.sleep(2)
    cost = meter.read()
    holder.communicate(timeout=20)
    return {"requests": got["open"], "errors": got["errors"], "rss_kib": after, "foreign": cost["foreign"],
            "bytes_per_connection": (after - before) * 1024 / max(1, got["open"])}


class Meter:
    """What a proxy and the two cores do from now on."""

    def __init__(self, world, running):
        self.cores, self.pids = world.cores, running.pids
        self.begin = self.now()

    def now(self):
        return (*machine.cpu(self.pids), machine.busy_seconds(self.cores.proxy), machine.busy_seconds(self.cores.load), time.monotonic())

    def read(self):
        spent, user, system, core, load, seconds = (b - a for a, b in zip(self.begin, self.now()))
        return {"cpu_ns": spent, "user_share": user / max(1, user + system), "measured_s": seconds, "used": spent / 1e9 / seconds,
                "load_core": load / seconds, "foreign": max(0.0, core - spent / 1e9) / seconds}


def make_certificates(folder):
    """A key of either kind with a certificate of its own. Without openssl there are none, and nothing speaks TLS."""
    for name, key in (("rsa", ["rsa:2048"]), ("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", *key, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
                        "-days", "30", "-subj", "/CN=bench.local", "-addext", "subjectAltName=DNS:bench.local"], check=True, capture_output=True)
        (folder / f"{name}.both.pem").write_bytes((folder / f"{name}.pem").read_bytes() + (folder / f"{name}.key").read_bytes())


def last_line(out):
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed("the load generator printed nothing")
    return json.loads(lines[-1])


def listens(port):
    try:
        socket.create_connection((IP, port), 0.5).close()
        return True
    except OSError:
        return False


def wait_for(port, process, name):
    end = time.monotonic() + 10
    while not listens(port):
        if process.poll() is not None:
            raise Failed(f"{name} ended with {process.returncode}")
        if time.monotonic() > end:
            raise Failed(f"{name} does not listen on port {port}")
        time.sleep(0.05)


def free_ports(count):
    """Below those that the kernel gives to outgoing connections: one of them could have taken the port by the next sample."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    for port in range(lowest - 1 - os.getpid() % 5000, 1024, -1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((IP, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise Failed("no free ports")
