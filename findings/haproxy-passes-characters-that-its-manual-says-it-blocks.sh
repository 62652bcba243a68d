#!/bin/sh
# HAProxy 2.6.12 (Debian 12: haproxy=2.6.12-1+deb12u4), default options.
#
# Its manual says of `option accept-invalid-http-request` that the characters " < > \ ^ ` { | } in a request's URI, and
# everything above 127, are blocked by default unless that option is set. It blocks bytes above 127 only: the nine
# characters pass in a query and in a path, with and without the option, and reach the server as they are.
#
# Whoever replaces HAProxy by something that does what the manual says gets 400 where 200 was.
#
# Needs: haproxy, python3. Exits 0 while that is so, 1 when it is not any more, 2 when something is missing.
set -eu
for program in haproxy python3; do
    command -v "$program" >/dev/null || { echo "needs $program" >&2; exit 2; }
done
folder=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || :; done; rm -rf "$folder"' EXIT
cd "$folder"
haproxy -v | head -n 1

cat >server.py <<'PYTHON'
import http.server

class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.path.encode("latin-1")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
mkfifo port
python3 server.py >port &
pids="$pids $!"
read -r server <port

# Two front ends: one as it is by default, one with the option.
front=$(python3 -c 'import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
set -- $front
cat >haproxy.cfg <<CONFIG
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend default
    bind 127.0.0.1:$1
    default_backend echo
frontend relaxed
    bind 127.0.0.1:$2
    option accept-invalid-http-request
    default_backend echo
backend echo
    server echo 127.0.0.1:$server
CONFIG
haproxy -db -f haproxy.cfg 2>haproxy.log &
pids="$pids $!"

cat >ask.py <<'PYTHON'
import socket
import sys
import time

default, relaxed = map(int, sys.argv[1:])

def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("haproxy does not listen")

def ask(port, target):
    with connect(port) as conn:
        conn.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := conn.recv(65536):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.endswith(target)

same = True
for name, byte in [(chr(b), bytes([b])) for b in b'"<>\\^`{|}'] + [("0xE9", b"\xe9")]:
    for target in (b"/q?a" + byte, b"/p" + byte):
        seen = [ask(port, target) for port in (default, relaxed)]
        manual = [(400, False), (200, True)]
        expected = manual if name == "0xE9" else [(200, True), (200, True)]
        print(f"{name:4} in {target[:2].decode()}..: default {seen[0][0]}, with the option {seen[1][0]}; manual: 400, 200")
        same &= seen == expected
print("as described" if same else "no longer as described")
sys.exit(0 if same else 1)
PYTHON
python3 ask.py "$1" "$2"
