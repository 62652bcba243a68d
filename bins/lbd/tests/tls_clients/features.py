"""What a listener does, a line for each feature. Arguments: http or https, port, the root of the servers' certificates."""
import hashlib
import socket
import ssl
import sys

scheme, port, root = sys.argv[1], int(sys.argv[2]), sys.argv[3]
HOST = "Host: localhost\r\n"


class Connection:
    def __init__(self):
        plain = socket.create_connection(("localhost", port), 20)
        if scheme == "https":
            plain = ssl.create_default_context(cafile=root).wrap_socket(plain, server_hostname="localhost")
        self.socket, self.held = plain, b""

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def more(self):
        part = self.socket.recv(65536)
        self.held += part
        return bool(part)

    def until(self, mark):
        while mark not in self.held:
            assert self.more(), f"ended before {mark}: {self.held!r}"
        found, self.held = self.held.split(mark, 1)
        return found

    def exactly(self, length):
        while len(self.held) < length:
            assert self.more(), "ended early"
        found, self.held = self.held[:length], self.held[length:]
        return found

    def head(self):
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), {name.lower(): value for name, value in pairs}

    def body(self, fields):
        if fields.get("transfer-encoding") == "chunked":
            whole = b""
            while length := int(self.until(b"\r\n"), 16):
                whole += self.exactly(length)
                self.until(b"\r\n")
            trailers = self.until(b"\r\n")
            return whole + b"|" + trailers
        if "content-length" in fields:
            return self.exactly(int(fields["content-length"]))
        while self.more():
            pass
        return self.held

    def answer(self):
        status, fields = self.head()
        while status < 200:
            status, fields = self.head()
        return status, fields, self.body(fields)


def get(path, fields="", body=""):
    made = Connection()
    made.send(f"GET {path} HTTP/1.1\r\n{HOST}{fields}\r\n{body}")
    return made.answer()


def said(name, *values):
    print(name, *values, sep=" | ")


def digest(data):
    return len(data), hashlib.sha256(data).hexdigest()[:16]


said("redirect", *[(s, f["location"]) for s, f, _ in [get("/old")]])
said("respond", get("/closed")[0])
said("refused path", get("/x/..;/%6fld")[0])
said("bad request", get("/", "Host: twice\r\n")[0])
said("large head", get("/", f"X: {'x' * 70_000}\r\n")[0])

# one connection: kept, then pipelined, until the limit ends it
kept = Connection()
kept.send(f"GET /who HTTP/1.1\r\n{HOST}\r\n")
status, fields, body = kept.answer()
cookie = fields["set-cookie"].split(";")[0]
said("first", status, body, "connection" in fields)
kept.send(f"GET /who HTTP/1.1\r\n{HOST}Cookie: {cookie}\r\n\r\n" * 3)
said("pipelined", *[(s, b == body, f.get("connection")) for s, f, b in (kept.answer() for _ in range(3))])
said("ended", not kept.more())
said("sticky", {get("/who", f"Cookie: {cookie}\r\n")[2] for _ in range(6)} == {body})

for path in "/sized", "/chunked", "/until-close":
    status, fields, body = get(path)
    said(path, status, digest(body))

up = Connection()
up.send(f"PUT /count HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 3000000\r\n\r\n")
said("continue", up.head()[0])
up.send(b"u" * 3_000_000)
status, fields, body = up.answer()
said("sized upload", status, body)
up.send(f"POST /count HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" + ("10000\r\n" + "c" * 65_536 + "\r\n") * 9 + "0\r\n\r\n")
said("chunked upload", *up.answer()[::2])

switched = Connection()
switched.send(f"GET /switch HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
status, fields = switched.head()
switched.send(b"w" * 200_000)
said("upgrade", status, fields["upgrade"], digest(switched.exactly(200_005)))

aborted = Connection()
aborted.send(f"GET /sized HTTP/1.1\r\n{HOST}\r\n")
aborted.head()
aborted.socket.close()
said("after an abort", get("/who")[0])
