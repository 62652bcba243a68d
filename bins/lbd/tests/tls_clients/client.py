"""Asks https://localhost:PORT with certificate and without, in TLS 1.2 and 1.3; says what it got, a line for each try."""
import http.client
import socket
import ssl
import sys

port, root, certificate = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def context(version, shown):
    made = ssl.create_default_context(cafile=root)
    made.minimum_version = made.maximum_version = version
    made.set_alpn_protocols(["h2", "http/1.1"])
    if shown:
        made.load_cert_chain(certificate)
    return made


def tries(made):
    kept = http.client.HTTPSConnection("localhost", port, context=made, timeout=20)
    answers = []
    for method, body in [("GET", None), ("POST", b"x" * 100_000), ("HEAD", None)]:
        kept.request(method, "/", body)
        answer = kept.getresponse()
        answers.append(f"{answer.status} {answer.read().decode()}".strip())
    return kept.sock, answers


for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    made = context(version, True)
    first, answers = tries(made)
    print(first.version(), first.selected_alpn_protocol(), *answers, sep=" | ")
    plain = socket.create_connection(("localhost", port))
    again = made.wrap_socket(plain, server_hostname="localhost", session=first.session)
    again.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = b""
    while part := again.recv(4096):
        answer += part
    print("again", again.session_reused, answer.split()[1].decode())
    try:
        print("let in", tries(context(version, False)))
    except (ssl.SSLError, ConnectionError) as error:
        print("refused", getattr(error, "reason", None) or type(error).__name__)
