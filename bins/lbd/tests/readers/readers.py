"""Reads request targets, one a line, and says for each under which route every reader here finds it: one letter per
reader, `-` when it refuses. The servers' own code reads, without sockets."""

import http.server
import io
import posixpath
import sys
from urllib.parse import unquote, urlsplit
from wsgiref.simple_server import WSGIRequestHandler

from gunicorn.util import split_request_uri, unquote_to_wsgi_str
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, PathConverter, RequestRedirect, Rule


def area(text):
    def under(start):
        return text == start or text.startswith(start + "/")

    return "A" if under("/admin") else "S" if under("/public/secret") else "P" if under("/public") else "R"


class Server:
    base_environ = {}


def handler(kind, target):
    it = kind.__new__(kind)
    it.rfile, it.wfile = io.BytesIO(b"Host: h\r\n\r\n"), io.BytesIO()
    it.client_address, it.server, it.directory = ("127.0.0.1", 1), Server, "/"
    it.raw_requestline = b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\n"
    it.close_connection, it.requestline = True, ""
    it.log_message = it.log_error = lambda *_: None
    if not it.parse_request():
        raise ValueError(target)
    return it


def wsgiref(target):
    return handler(WSGIRequestHandler, target).get_environ()["PATH_INFO"]


def files(target):
    it = handler(http.server.SimpleHTTPRequestHandler, target)
    return it.translate_path(it.path)


def gunicorn(target):
    return unquote_to_wsgi_str(split_request_uri(target).path)


class Rest(PathConverter):
    """Also what begins with a slash, which the usual one leaves to the rule of the root."""

    regex = ".*?"


def werkzeug(merge):
    rules = [("/admin", "A"), ("/public/secret", "S"), ("/public", "P"), ("", "R")]
    places = [Rule(path + end, endpoint=name) for path, name in rules for end in ("/", "/<rest:rest>") if path + end]
    places += [Rule(path, endpoint=name, strict_slashes=False) for path, name in rules if path]
    adapter = Map(places, merge_slashes=merge, converters={"rest": Rest}).bind("h")

    def read(target):
        return adapter.match(wsgiref(target))[0]

    return read


def in_place(read):
    return lambda target: area(read(target))


READERS = [
    in_place(wsgiref),
    in_place(files),
    in_place(gunicorn),
    in_place(lambda target: posixpath.normpath(wsgiref(target))),
    in_place(lambda target: posixpath.normpath(gunicorn(target))),
    in_place(lambda target: urlsplit(target).path),
    in_place(lambda target: unquote(urlsplit(target).path)),
    in_place(lambda target: posixpath.normpath(unquote(urlsplit(target).path))),
    in_place(lambda target: posixpath.normpath(unquote(unquote(urlsplit(target).path)))),
    in_place(lambda target: urlsplit(unquote(target.split("?")[0])).path),
    werkzeug(True),
    werkzeug(False),
]

for line in sys.stdin.buffer.read().decode("latin-1").split("\n")[:-1]:
    letters = ""
    for reader in READERS:
        try:
            letters += reader(line)
        except (ValueError, HTTPException, RequestRedirect):
            letters += "-"
    print(letters)
