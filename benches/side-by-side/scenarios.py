"""What the proxies are put through."""
from dataclasses import dataclass

# What a sample costs: (its key, how it is called).
SMALL = ("cpu_us", "CPU us per request")
LARGE = ("cpu_ms_per_gb", "CPU ms per GB")
MEMORY = ("bytes_per_connection", "bytes per connection")
TAIL = ("p99_us", "p99 of the small ones, us")


@dataclass(frozen=True)
class Scenario:
    name: str
    listener: str
    title: str
    load: tuple = ()  # arguments of the load generator
    cost: tuple = SMALL
    upgrade: bool = False


SCENARIOS = {s.name: s for s in (
    Scenario("h1-small", "http", "HTTP/1.1 keep-alive, 1 KiB, 64 connections", ("-c", 64, "-u", "/1k")),
    Scenario("h1-browser", "cookie", "HTTP/1.1 keep-alive, 1 KiB, 64 connections, a browser's head of 12 fields, cookie persistence", ("-c", 64, "-r", "browser.request")),
    Scenario("h1-close", "http", "HTTP/1.1, a client connection per request, 1 KiB", ("-c", 64, "-C")),
    Scenario("h1-64k", "http", "HTTP/1.1 keep-alive, 64 KiB, 32 connections", ("-c", 32, "-u", "/64k")),
    Scenario("h1-large", "http", "HTTP/1.1 keep-alive, 1 MiB, 16 connections", ("-c", 16, "-u", "/1m"), LARGE),
    Scenario("h1-rate", "http", "HTTP/1.1 keep-alive, 1 KiB, 8,000 requests a second on 64 connections", ("-c", 64, "-R", 8000)),
    Scenario("h1-one", "http", "HTTP/1.1 keep-alive, 1 KiB, one connection", ("-c", 1)),
    Scenario("l4-small", "tcp", "TCP, 1 KiB, 64 connections", ("-c", 64, "-u", "/1k")),
    Scenario("l4-large", "tcp", "TCP, 1 MiB, 16 connections", ("-c", 16, "-u", "/1m"), LARGE),
    Scenario("l4-close", "tcp", "TCP, a connection per request, 1 KiB", ("-c", 64, "-C")),
    Scenario("ws", "http", "WebSocket, frames of 32 bytes to and fro, 64 connections", ("-c", 64, "-w"), upgrade=True),
    Scenario("mixed", "http", "350 answers of 1 MiB a second on 32 connections, and 200 of 1 KiB on one of its own", cost=TAIL),
    Scenario("idle-tls", "tls_ec", "idle TLS 1.3 connections, one request on each: 3,000", cost=MEMORY),
    Scenario("idle", "http", "idle keep-alive connections, one request on each: 9,500, or what the descriptor limit allows", cost=MEMORY),
)}

# The tables of docs/measurements.md.
DOCUMENTED = ("h1-small", "h1-browser", "h1-close", "h1-large", "l4-small", "l4-large", "idle")

BROWSER = "\r\n".join((
    "GET /1k HTTP/1.1",
    "Host: bench.local",
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.7",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://bench.local/shop/catalogue?page=3&sort=price",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Cache-Control: max-age=0",
    "Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark; consent=a1b2c3d4; _ga=GA1.2.123456789.1700000000",
    "", ""))
