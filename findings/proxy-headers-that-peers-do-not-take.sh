#!/bin/sh
# What two receivers make of PROXY headers that the document allows:
# - nginx 1.22.1, `listen .. proxy_protocol` of an HTTP server: a header of version 2 with 1,024 bytes is taken, one of 1,025 is
#   refused ("header is too large while reading PROXY protocol", or a closed connection), because it is read into
#   client_header_buffer_size, whose default is 1k; with 2k the bound is 2,048. The document promises receivers no more than that the
#   first 536 bytes come together, and allows 65,551.
# - haproxy 2.6.12, `accept-proxy`: version 2 with the addresses of two Unix domain sockets (family 3) is answered by closing, with
#   addresses of IP it is served; nginx takes both and has then no client address.
# Seen with Debian 12's packages nginx and haproxy. Fails when that changes.
set -eu
folder=$(mktemp -d)
chmod 755 "$folder"
cd "$folder"
trap 'kill $(cat nginx.pid haproxy.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$folder"' EXIT
nginx -v
haproxy -v | head -n 1
cat >nginx.conf <<END
pid $folder/nginx.pid; error_log $folder/error.log;
events { }
http {
    access_log off; client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
    server { listen 127.0.0.1:7941 proxy_protocol; return 200 "[\$proxy_protocol_addr]"; }
    server { listen 127.0.0.1:7942 proxy_protocol; client_header_buffer_size 2k; return 200 "[\$proxy_protocol_addr]"; }
}
END
cat >haproxy.cfg <<END
defaults
    mode http
    timeout connect 2s
    timeout client 2s
    timeout server 2s
frontend in
    bind 127.0.0.1:7943 accept-proxy
    http-request return status 200 content-type text/plain lf-string "[%[src]]"
END
nginx -p "$folder" -c "$folder/nginx.conf" 2>/dev/null
haproxy -D -p "$folder/haproxy.pid" -f "$folder/haproxy.cfg"
cat >ask.py <<'PYTHON'
import socket, struct, sys, time

def header(family, addresses, length):
    """Version 2, filled up to this length with a TLV of type NOOP."""
    rest = length - 16 - len(addresses)
    filler = struct.pack("!BH", 4, rest - 3) + bytes(rest - 3) if rest else b""
    body = addresses + filler
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, family]) + struct.pack("!H", len(body)) + body

IP = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") + struct.pack("!HH", 40000, 80)
UNIX = b"/run/a.sock".ljust(108, b"\0") + b"/run/b.sock".ljust(108, b"\0")

def ask(port, head):
    for _ in range(50):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 3)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.sendall(head + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    got = b""
    try:
        while more := connection.recv(4096):
            got += more
    except OSError:
        pass
    return got.rpartition(b"\r\n\r\n")[2].decode() if got.startswith(b"HTTP/1.1 200") else "refused"

for name, port, head in (
    ("nginx 1k, 1024 bytes", 7941, header(0x11, IP, 1024)),
    ("nginx 1k, 1025 bytes", 7941, header(0x11, IP, 1025)),
    ("nginx 2k, 1025 bytes", 7942, header(0x11, IP, 1025)),
    ("nginx 2k, 2048 bytes", 7942, header(0x11, IP, 2048)),
    ("nginx 2k, 2049 bytes", 7942, header(0x11, IP, 2049)),
    ("nginx 1k, unix", 7941, header(0x31, UNIX, 16 + len(UNIX))),
    ("haproxy, ip", 7943, header(0x11, IP, 16 + len(IP))),
    ("haproxy, unix", 7943, header(0x31, UNIX, 16 + len(UNIX))),
):
    print(f"{name}: {ask(port, head)}")
PYTHON
python3 ask.py | tee seen
cat >wanted <<'END'
nginx 1k, 1024 bytes: [192.0.2.1]
nginx 1k, 1025 bytes: refused
nginx 2k, 1025 bytes: [192.0.2.1]
nginx 2k, 2048 bytes: [192.0.2.1]
nginx 2k, 2049 bytes: refused
nginx 1k, unix: []
haproxy, ip: [192.0.2.1]
haproxy, unix: refused
END
diff seen wanted
