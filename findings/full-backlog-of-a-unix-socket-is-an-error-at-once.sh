#!/bin/sh
# HAProxy 2.6.12 (Debian 12: haproxy=2.6.12-1+deb12u4) and nginx 1.22.1 (Debian 12: nginx=1.22.1-9+deb12u11).
#
# Both are told to wait 20 s for a connection to a server. When the server listens on TCP and is busy, requests wait for
# their turn and all are answered. When the same server listens on a Unix domain socket whose backlog is full, connect(2)
# says EAGAIN instead, and both give up within a second: HAProxy answers 503, nginx 502. HAProxy's `retries 3` (its
# default) with `retry-on conn-failure` does not help, and in neither does the connect timeout count.
#
# Whoever moves an application behind such a proxy from a port to a socket loses requests in bursts that waited before.
#
# Needs: haproxy, nginx, python3. Exits 0 while that is so, 1 when it is not any more, 2 when something is missing.
set -eu
PATH=$PATH:/usr/sbin
for program in haproxy nginx python3; do
    command -v "$program" >/dev/null || { echo "needs $program" >&2; exit 2; }
done
folder=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || :; done; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
haproxy -v | head -n 1
nginx -v 2>&1

cat >server.py <<'PYTHON'
# One request after the other, from a queue of one; over both kinds of sockets.
import os
import socket
import threading
import time

def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.recv(65536)
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        connection.close()

tcp = socket.socket()
tcp.bind(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind("server.sock")
os.chmod("server.sock", 0o777)
for listener in (tcp, unix):
    listener.listen(1)
    threading.Thread(target=serve, args=(listener,)).start()
print(tcp.getsockname()[1], flush=True)
PYTHON
mkfifo port
python3 server.py >port &
pids="$pids $!"
read -r server <port

set -- $(python3 -c 'import socket
all = [socket.socket() for _ in range(4)]
for one in all:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in all))')
cat >haproxy.cfg <<CONFIG
global
    user $(id -un)
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 20s
    retries 3
    retry-on conn-failure
frontend tcp
    bind 127.0.0.1:$1
    default_backend tcp
frontend unix
    bind 127.0.0.1:$2
    default_backend unix
backend tcp
    server a 127.0.0.1:$server
backend unix
    server a unix@$folder/server.sock
CONFIG
haproxy -db -f haproxy.cfg 2>haproxy.log &
pids="$pids $!"

cat >nginx.conf <<CONFIG
user $(id -un);
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log $folder/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    proxy_connect_timeout 20s;
    server { listen 127.0.0.1:$3; location / { proxy_pass http://127.0.0.1:$server; } }
    server { listen 127.0.0.1:$4; location / { proxy_pass http://unix:$folder/server.sock; } }
}
CONFIG
nginx -c "$folder/nginx.conf" 2>nginx.log &
pids="$pids $!"

cat >ask.py <<'PYTHON'
import collections
import concurrent.futures
import socket
import sys
import time

def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 40)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("a proxy does not listen")

def ask(port):
    with connect(port) as conn:
        began = time.monotonic()
        conn.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := conn.recv(65536):
            answer += part
        return int(answer.split(b" ", 2)[1]), time.monotonic() - began

same = True
names = ["haproxy, tcp", "haproxy, unix", "nginx, tcp", "nginx, unix"]
for name, port in zip(names, map(int, sys.argv[1:])):
    connect(port).close()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, [port] * 10))
    counts = collections.Counter(status for status, _ in answers)
    error = 503 if name.startswith("haproxy") else 502
    if name.endswith("tcp"):
        as_described = counts == {200: 10}
    else:
        late = [took for status, took in answers if status != 200 and took > 5]
        as_described = set(counts) == {200, error} and counts[error] >= 3 and not late
    print(f"{name}: {dict(counts)}, the longest took {max(took for _, took in answers):.2f} s")
    same &= as_described
print("as described" if same else "no longer as described")
sys.exit(0 if same else 1)
PYTHON
python3 ask.py "$@"
