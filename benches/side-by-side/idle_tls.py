#!/usr/bin/env python3
"""idle_tls.py PORT COUNT: opens so many TLS connections, one request on each, says so, and holds them until its input ends."""
import json
import socket
import ssl
import sys


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    held, errors = [], 0
    for number in range(count):
        try:
            # from many addresses: one of them has only so many ports
            source = f"127.0.{1 + number // 250}.{1 + number % 250}"
            raw = socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
            held.append(ask(context.wrap_socket(raw, server_hostname="bench.local")))
        except OSError:
            errors += 1
    print(json.dumps({"open": len(held), "errors": errors}), flush=True)
    sys.stdin.read()


def ask(connection):
    connection.sendall(b"GET /1k HTTP/1.1\r\nHost: bench.local\r\n\r\n")
    got = b""
    while len(got.partition(b"\r\n\r\n")[2]) < 1024:
        more = connection.recv(65536)
        if not more:
            raise OSError("closed")
        got += more
    return connection


if __name__ == "__main__":
    main()
