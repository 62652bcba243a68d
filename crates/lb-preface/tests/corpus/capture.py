#!/usr/bin/env python3
"""Writes down what real programs send first, as the hexadecimal files beside this script (README.md says how).

  capture.py client NAME -- COMMAND ..   the hello of a client; PORT in COMMAND becomes the port it shall connect to
  capture.py server NAME -- COMMAND ..   the first records of a server that listens on PORT; CLIENT= picks the client's hello

A client's file holds all its bytes up to the end of its first handshake message; a server's file its first record.
"""
import os, pathlib, socket, subprocess, sys, time

HERE = pathlib.Path(__file__).parent


def save(name, data):
    text = data.hex()
    lines = [text[i:i + 96] for i in range(0, len(text), 96)]
    (HERE / (name + ".hex")).write_text("\n".join(lines) + "\n")
    print(name, len(data), "bytes")


def hello_len(data):
    """Where the first handshake message ends, or None."""
    message, at = b"", 0
    while len(data) >= at + 5:
        n = int.from_bytes(data[at + 3:at + 5], "big")
        if len(data) < at + 5 + n:
            return None
        message += data[at + 5:at + 5 + n]
        at += 5 + n
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return at
    return None


def client(name, command):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    port = str(listener.getsockname()[1])
    child = subprocess.Popen([word.replace("PORT", port) for word in command], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    connection, _ = listener.accept()
    connection.settimeout(5)
    data = b""
    while hello_len(data) is None:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    connection.close()
    child.kill()
    save(name, data[:hello_len(data)])


def server(name, command):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    child = subprocess.Popen([word.replace("PORT", str(port)) for word in command], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    hello = bytes.fromhex((HERE / (os.environ["CLIENT"] + ".hex")).read_text().replace("\n", ""))
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.1)
    connection.settimeout(5)
    connection.sendall(hello)
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    child.kill()
    save(name, data[:5 + int.from_bytes(data[3:5], "big")])


if __name__ == "__main__":
    at = sys.argv.index("--")
    {"client": client, "server": server}[sys.argv[1]](sys.argv[2], sys.argv[at + 1:])
