"""The proxies that are measured: where each is found, what it is told to do, how it is started.

All do the same: one worker, no access log, X-Forwarded-For added (HTTP), connections to two backends kept, round robin;
listener `cookie` also leads a client back by a cookie. Only one proxy runs at a time, all on the same ports.
"""
import os
import re
import resource
import shutil
import string
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

HERE = Path(__file__).resolve().parent
IP = "127.0.0.1"


@dataclass
class Place:
    """What a configuration may name."""
    folder: Path
    ports: dict  # by kind of listener: http, cookie, tcp
    backends: list


@dataclass
class Proxy:
    name: str
    program: Optional[str]
    serves: set  # kinds of listeners, and "upgrade"
    command: Callable  # of Place, the arguments; it stays in the foreground
    comes_from: str
    configure: Callable = lambda place: None
    same: dict = field(default_factory=dict)  # a listener that serves another kind as well
    skips: tuple = ()
    environment: dict = field(default_factory=dict)
    version: tuple = ()

    def port(self, place, kind):
        return place.ports[self.same.get(kind, kind)]

    def can(self, scenario):
        needs = {scenario.listener} | ({"upgrade"} if scenario.upgrade else set())
        return bool(self.program) and needs <= self.serves and scenario.name not in self.skips

    def says(self):
        """The line with its version."""
        if not self.version:
            return ""
        said = subprocess.run([self.program, *self.version], capture_output=True, text=True)
        return ((said.stdout + said.stderr).strip().splitlines() or [""])[0]


def proxies(tools, builds):
    """All that are known. `tools`: the folder with what is built here; `builds`: lbd, as (name, program)."""
    def tool(name):
        path = tools / name
        return str(path) if path.exists() else None

    def upstreams(place):
        return ",".join(f"{IP}:{p}" for p in place.backends)

    def null(name, *more):
        return Proxy(name, tool("nullproxy"), {"http", "tcp", "upgrade"}, same={"tcp": "http"}, skips=NEW_CONNECTIONS, comes_from="tools/nullproxy.c",
                     command=lambda p: [p.ports["http"], ",".join(map(str, p.backends)), *more])

    def tokio(name, way, serves, same, skips=()):
        return Proxy(name, tool("tokio-target/release/bare-tokio"), serves, same=same, skips=skips, comes_from="built by a run that is not --quick",
                     command=lambda p: [way, f"{IP}:{p.ports['http']}", upstreams(p)])

    return [
        # what a proxy cannot be cheaper than
        null("nullproxy"),
        null("nullsplice", "-s"),
        tokio("tokio-l4", "l4", {"http", "tcp", "upgrade"}, {"tcp": "http"}, NEW_CONNECTIONS),
        tokio("tokio-l7", "l7", {"http", "cookie"}, {"cookie": "http"}),
        # other load balancers
        Proxy("haproxy", find("HAPROXY", "haproxy"), {"http", "cookie", "tcp", "tls_rsa", "tls_ec", "upgrade"}, configure=haproxy, version=("-v",),
              comes_from="Debian package haproxy", command=lambda p: ["-db", "-f", p.folder / "haproxy.cfg"]),
        Proxy("nginx", find("NGINX", "nginx"), {"http", "cookie", "tls_rsa", "tls_ec", "upgrade"} | ({"tcp"} if stream_module() else set()), configure=nginx, version=("-v",),
              comes_from="Debian packages nginx and libnginx-mod-stream", command=lambda p: ["-p", p.folder, "-c", p.folder / "nginx.conf"]),
        Proxy("caddy", find("CADDY", "caddy"), {"http", "cookie", "upgrade"}, configure=caddy, version=("version",), environment={"GOMAXPROCS": "1"},
              comes_from="Debian package caddy", command=lambda p: ["run", "--config", p.folder / "Caddyfile", "--adapter", "caddyfile"]),
    ] + [
        Proxy(name, program, {"http", "cookie", "tcp", "tls_rsa", "tls_ec", "upgrade"}, configure=lbd, version=("--version",),
              comes_from="cargo build --profile dist -p lbd", command=lambda p: ["run", "--config", p.folder / "lbd.toml"])
        for name, program in builds
    ]


# One upstream connection for each of the client's: closed ones fill the ports, and their search is what would be measured.
NEW_CONNECTIONS = ("h1-close", "l4-close")


def find(variable, name):
    """`BENCH_HAPROXY` and the like name another build; sbin is not in everybody's PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return os.environ.get(f"BENCH_{variable}") or shutil.which(name, path=path)


def lbd(place):
    values = {"WORKDIR": str(place.folder), "IP": IP, **{f"BACKEND_{i}": f"{IP}:{p}" for i, p in enumerate(place.backends, 1)},
              **{f"PORT_{kind.upper()}": str(port) for kind, port in place.ports.items()}}
    text = (HERE / "lbd.toml.in").read_text()
    (place.folder / "lbd.toml").write_text(string.Template(text).substitute(values))


def haproxy(place):
    servers = "\n".join(f"    server s{i} {IP}:{p}" for i, p in enumerate(place.backends, 1))
    known = "\n".join(f"    server s{i} {IP}:{p} cookie s{i}" for i, p in enumerate(place.backends, 1))
    most = min(9900, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)  # two descriptors each
    (place.folder / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    ssl-default-bind-options ssl-min-ver TLSv1.2
    maxconn {most}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 300s
    timeout http-keep-alive 120s
    http-reuse always
frontend http
    bind {IP}:{place.ports['http']} backlog 4096
    option forwardfor
    default_backend plain
frontend cookie
    bind {IP}:{place.ports['cookie']} backlog 4096
    option forwardfor
    default_backend sticky
frontend tls_rsa
    bind {IP}:{place.ports['tls_rsa']} ssl crt {place.folder}/rsa.both.pem alpn http/1.1 backlog 4096
    option forwardfor
    default_backend plain
frontend tls_ec
    bind {IP}:{place.ports['tls_ec']} ssl crt {place.folder}/ec.both.pem alpn http/1.1 backlog 4096
    option forwardfor
    default_backend plain
backend plain
    balance roundrobin
{servers}
backend sticky
    balance roundrobin
    cookie SRV insert indirect nocache
{known}
listen tcp
    mode tcp
    bind {IP}:{place.ports['tcp']} backlog 4096
    balance roundrobin
{servers}
""")


def stream_module():
    """The line that loads nginx's TCP proxy, None where there is none."""
    program = find("NGINX", "nginx")
    if not program:
        return None
    built = subprocess.run([program, "-V"], capture_output=True, text=True).stderr
    if re.search(r"--with-stream(\s|$)", built):
        return ""
    folder = re.search(r"--modules-path=(\S+)", built)
    module = Path(folder[1]) / "ngx_stream_module.so" if folder else None
    return f"load_module {module};" if module and module.exists() else None


def nginx(place):
    servers = " ".join(f"server {IP}:{p};" for p in place.backends)
    keep = "keepalive 512; keepalive_requests 100000000;"
    alone = "".join(f"    upstream s{i} {{ server {IP}:{p}; {keep} }}\n" for i, p in enumerate(place.backends, 1))
    load = stream_module()
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = " ".join(f"{name}_temp_path {place.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    tcp = "" if load is None else f"""
stream {{
    access_log off;
    upstream plain {{ {servers} }}
    server {{ listen {IP}:{place.ports['tcp']} backlog=4096; proxy_pass plain; }}
}}"""
    (place.folder / "nginx.conf").write_text(f"""{load or ''}
{user}
daemon off; worker_processes 1; worker_rlimit_nofile {resource.getrlimit(resource.RLIMIT_NOFILE)[1]};
error_log {place.folder}/nginx.err crit; pid {place.folder}/nginx.pid;
events {{ worker_connections 40000; }}
http {{
    access_log off; server_tokens off;
    {temporary}
    keepalive_timeout 120; keepalive_requests 100000000;
    map $http_upgrade $connection_value {{ default upgrade; '' ''; }}
    upstream plain {{ {servers} {keep} }}
{alone}
    map $cookie_SRV $chosen {{ default plain; s1 s1; s2 s2; }}
    proxy_http_version 1.1;
    proxy_max_temp_file_size 0;
    proxy_set_header Host $host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_value;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    server {{ listen {IP}:{place.ports['http']} backlog=4096; location / {{ proxy_pass http://plain; }} }}
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen {IP}:{place.ports['tls_rsa']} ssl backlog=4096; ssl_certificate {place.folder}/rsa.pem; ssl_certificate_key {place.folder}/rsa.key; location / {{ proxy_pass http://plain; }} }}
    server {{ listen {IP}:{place.ports['tls_ec']} ssl backlog=4096; ssl_certificate {place.folder}/ec.pem; ssl_certificate_key {place.folder}/ec.key; location / {{ proxy_pass http://plain; }} }}
    server {{ listen {IP}:{place.ports['cookie']} backlog=4096; location / {{ proxy_pass http://$chosen; add_header Set-Cookie "SRV=s1; path=/"; }} }}
}}{tcp}
""")


def caddy(place):
    def site(kind, policy):
        to = " ".join(f"{IP}:{p}" for p in place.backends)
        return f"""http://:{place.ports[kind]} {{
 bind {IP}
 reverse_proxy {to} {{
  lb_policy {policy}
  transport http {{
   keepalive_idle_conns_per_host 512
   keepalive_idle_conns 1024
  }}
 }}
}}
"""
    head = "{\n admin off\n auto_https off\n}\n"
    (place.folder / "Caddyfile").write_text(head + site("http", "round_robin") + site("cookie", "cookie SRV"))
