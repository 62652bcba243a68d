/* A load generator for HTTP/1.1 on epoll: one thread, prints one line of JSON.
 *   loadgen -p PORT [-a IP] [-c CONNS] [-d SECS] [-r REQFILE | -u PATH]
 *           [-C]            new connection per request (Connection: close)
 *           [-R RATE]       open loop: RATE req/s over all connections, latency
 *                           measured from the intended send time
 *           [-w]            websocket: upgrade each connection, then ping-pong
 *                           one masked 32-byte text frame
 *           [-I]            idle: one request on each connection, print a line,
 *                           then hold all of them until stdin closes
 * Source addresses rotate over 127.0.0.0/8 so ports do not run out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* WAITEOF: the other side said that it will close; UPG: a 101 is awaited; WS: frames since then. */
enum { CONNECTING, IDLE, HEAD, BODY, CHUNK, WAITEOF, UPG, WS, DEAD };
struct conn {
    int fd, st, status, close_hdr, started;
    uint64_t t0;      /* intended start of the request in flight */
    uint64_t next;    /* open loop: next intended start */
    size_t have, sent; int64_t left;
    char tail[8]; int ntail;
    char buf[4096];
};
static int ep, nconn = 64, port = 0, closemode, ws, idle;
static double rate = 0, dur = 3;
static char req[16384]; static size_t reqlen;
static char frame[64]; static size_t framelen;
static uint64_t done_, errs, bytes, reconn, s2xx, sother, nopen;
static int srcrot;
static const char *ip = "127.0.0.1";
static uint64_t tend;
static char *big; enum { BIG = 1 << 18 };

/* log-linear histogram in ns/256 units: 64 sub-buckets per power of two */
static uint64_t H[64 * 64];
static inline int hidx(uint64_t v) {
    v >>= 8; if (v < 64) return (int)v;
    int l = 63 - __builtin_clzll(v), sh = l - 6;
    int i = (l - 5) * 64 + (int)((v >> sh) & 63);
    return i < 64 * 64 ? i : 64 * 64 - 1;
}
static double hval(int i) {
    if (i < 64) return (i + 0.5) * 256;
    int l = i / 64 + 5, sh = l - 6; uint64_t m = 64 + i % 64;
    return ((double)(m << sh) + (double)(1ull << sh) / 2) * 256;
}
/* What this share of the requests stayed within, in microseconds. */
static double pct(double p) {
    uint64_t t = 0, c = 0; for (int i = 0; i < 64 * 64; i++) t += H[i];
    if (!t) return 0;
    for (int i = 0; i < 64 * 64; i++) { c += H[i]; if (c >= p * t) return hval(i) / 1000; }
    return 0;
}
static uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }

static int live = 0;
static void want(struct conn *c, unsigned ev, int op) {
    struct epoll_event e = {.events = ev, .data.ptr = c};
    epoll_ctl(ep, op, c->fd, &e);
}
static void dial(struct conn *c) {
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) { perror("socket"); exit(1); }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (closemode || idle) {
        setsockopt(c->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
        struct sockaddr_in s = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + (srcrot++ & 31))};
        bind(c->fd, (void *)&s, sizeof s);
    }
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    c->st = CONNECTING; c->have = 0; c->ntail = 0; nopen++;
    if (connect(c->fd, (void *)&a, sizeof a) && errno != EINPROGRESS) { errs++; close(c->fd); c->st = DEAD; return; }
    want(c, EPOLLOUT, EPOLL_CTL_ADD); live++;
}
static void redial(struct conn *c) { close(c->fd); live--; c->st = DEAD; dial(c); }
static void fail(struct conn *c) { errs++; reconn++; if (errs > 100000) exit(3); redial(c); }

static void fire(struct conn *c) {
    const char *p = c->st == WS ? frame : req; size_t n = c->st == WS ? framelen : reqlen;
    if (c->st != WS) { c->st = HEAD; c->have = 0; c->close_hdr = 0; } else c->left = framelen;
    ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);
    if (w != (ssize_t)n) { fail(c); return; }
    c->started = 1;
}
static void kick(struct conn *c, uint64_t t) {
    if (rate > 0) {
        if (c->next > t) { c->started = 0; if (c->st != WS) c->st = IDLE; return; }
        c->t0 = c->next; c->next += (uint64_t)(1e9 * nconn / rate);
    } else c->t0 = t;
    fire(c);
}
static void finish(struct conn *c) {
    uint64_t t = now();
    done_++; H[hidx(t - c->t0)]++;
    if (c->st != WS) { if (c->status == 200) s2xx++; else { sother++; errs++; } }
    if (idle) { c->st = IDLE; return; }
    if (c->st != WS && c->close_hdr) { c->st = WAITEOF; return; }
    if (closemode) { reconn++; if (t < tend) redial(c); else { close(c->fd); live--; c->st = DEAD; } return; } /* L4 peer: nobody else will close */
    if (t >= tend) { c->started = 0; if (c->st != WS) c->st = IDLE; return; }
    kick(c, t);
}
static void body(struct conn *c, const char *p, size_t n) {
    if (c->st == BODY) {
        c->left -= n;
        if (c->left < 0) fail(c); else if (c->left == 0) finish(c);
    } else { /* chunked: only look for the terminating chunk in the tail */
        for (size_t i = n > 7 ? n - 7 : 0; i < n; i++) {
            if (c->ntail == 7) { memmove(c->tail, c->tail + 1, 6); c->ntail = 6; }
            c->tail[c->ntail++] = p[i];
        }
        if (c->ntail >= 5 && !memcmp(c->tail + c->ntail - 5, "0\r\n\r\n", 5)) finish(c);
    }
}
static void head(struct conn *c) {
    char *e = memmem(c->buf, c->have, "\r\n\r\n", 4);
    if (!e) { if (c->have == sizeof c->buf) fail(c); return; }
    size_t hl = e + 4 - c->buf;
    c->status = c->have > 12 ? atoi(c->buf + 9) : 0;
    if (c->st == UPG || (ws && c->status == 101)) {
        if (c->status != 101) { sother++; fail(c); return; }
        c->st = WS; s2xx++; c->left = 0;
        if (c->have != hl) { fail(c); return; }
        kick(c, now()); return;
    }
    c->left = -1; c->ntail = 0; int chunked = 0;
    for (char *p = memchr(c->buf, '\n', hl); p && p + 2 < e + 2; p = memchr(p, '\n', e + 2 - p)) {
        p++;
        if ((*p | 32) == 'c' && (size_t)(e - p) > 12) {
            if (!strncasecmp(p, "content-length:", 15)) c->left = atoll(p + 15);
            else if (!strncasecmp(p, "connection: close", 17)) c->close_hdr = 1;
        } else if ((*p | 32) == 't' && !strncasecmp(p, "transfer-encoding: chunked", 26)) chunked = 1;
    }
    size_t n = c->have - hl;
    if (chunked) { c->st = CHUNK; if (n) body(c, e + 4, n); return; }
    if (c->left < 0) { fail(c); return; }
    c->st = BODY;
    body(c, e + 4, n);
}
static void readable(struct conn *c) {
    ssize_t n;
    if (c->st == HEAD || c->st == UPG) {
        n = recv(c->fd, c->buf + c->have, sizeof c->buf - c->have, 0);
        if (n > 0) { c->have += n; bytes += n; head(c); return; }
    } else if (c->st == WAITEOF) {
        n = recv(c->fd, big, BIG, 0);
        if (n > 0) return;
        if (n == 0 || errno == ECONNRESET) { reconn++; if (now() < tend) redial(c); else { close(c->fd); live--; c->st = DEAD; } return; }
    } else if (c->st == WS) {
        n = recv(c->fd, big, BIG, 0);
        if (n > 0) { bytes += n; c->left -= n; if (c->left == 0) finish(c); else if (c->left < 0) fail(c); return; }
    } else {
        n = recv(c->fd, big, BIG, 0);
        if (n > 0) { bytes += n; if (c->st == BODY || c->st == CHUNK) body(c, big, n); return; }
    }
    if (n < 0 && errno == EAGAIN) return;
    if (idle) { errs++; close(c->fd); live--; c->st = DEAD; return; }
    if (now() < tend) {
        if (c->st == IDLE) { reconn++; redial(c); } else fail(c);
    } else { close(c->fd); live--; c->st = DEAD; }
}
int main(int ac, char **av) {
    int o; const char *path = "/1k", *file = NULL; char *hdr = NULL;
    while ((o = getopt(ac, av, "a:p:c:d:r:u:H:CR:wI")) > 0) switch (o) {
        case 'a': ip = optarg; break; case 'p': port = atoi(optarg); break; case 'c': nconn = atoi(optarg); break;
        case 'd': dur = atof(optarg); break; case 'r': file = optarg; break; case 'u': path = optarg; break;
        case 'C': closemode = 1; break; case 'R': rate = atof(optarg); break; case 'w': ws = 1; break;
        case 'I': idle = 1; break; case 'H': hdr = optarg; break; default: return 2;
    }
    struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl);
    if (file) { FILE *f = fopen(file, "rb"); if (!f) { perror(file); return 1; } reqlen = fread(req, 1, sizeof req, f); }
    else reqlen = snprintf(req, sizeof req, "GET %s HTTP/1.1\r\nHost: bench.local\r\n%s%s%s\r\n", path,
                           hdr ? hdr : "", hdr ? "\r\n" : "",
                           ws ? "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              : closemode ? "Connection: close\r\n" : "");
    frame[0] = (char)0x81; frame[1] = (char)(0x80 | 32); memset(frame + 2, 0, 4); memset(frame + 6, 'a', 32); framelen = 38;
    big = malloc(BIG);
    ep = epoll_create1(0);
    struct conn *cs = calloc(nconn, sizeof *cs);
    uint64_t start = now(); tend = start + (uint64_t)(dur * 1e9);
    for (int i = 0; i < nconn; i++) cs[i].next = start + 20000000 + (rate > 0 ? (uint64_t)(1e9 * i / rate) : 0);
    int opened = 0, batch = idle ? 64 : nconn;
    while (opened < nconn && opened < batch) dial(&cs[opened++]);
    struct epoll_event ev[512]; int announced = 0, cursor = 0; uint64_t hard = tend + 2000000000ull;
    if (idle) { struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}; epoll_ctl(ep, EPOLL_CTL_ADD, 0, &e); fcntl(0, F_SETFL, O_NONBLOCK); }
    for (;;) {
        uint64_t t = now(); int to = 100;
        if (!idle && t >= tend) {
            int busy = 0;
            for (int i = 0; i < nconn; i++) if (cs[i].st == HEAD || cs[i].st == BODY || cs[i].st == CHUNK || (cs[i].st == WS && cs[i].started)) busy++;
            if (!busy || t > hard) { errs += busy; break; }
            to = 5;
        }
        if (rate > 0 && t < tend) { /* next[] is ordered round-robin, so walk a cursor */
            to = 1;
            for (int k = 0; k < nconn; k++) {
                struct conn *c = &cs[cursor];
                if (c->st == IDLE || (c->st == WS && !c->started)) { if (c->next > t) { uint64_t d = c->next - t; to = d > 1000000 ? 1 : 0; break; } kick(c, t); }
                cursor = (cursor + 1) % nconn;
            }
        }
        int n = epoll_wait(ep, ev, 512, to);
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (!c) { char b[64]; if (read(0, b, sizeof b) == 0) return 0; continue; }
            if (c->st == DEAD) continue;
            if (c->st == CONNECTING) {
                int e = 0; socklen_t l = sizeof e; getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
                if (e) { if (now() >= tend && !idle) { close(c->fd); live--; c->st = DEAD; continue; } fail(c); usleep(1000); continue; }
                want(c, EPOLLIN, EPOLL_CTL_MOD); c->st = IDLE;
                if (ws) { c->t0 = now(); c->have = 0; fire(c); c->st = c->st == HEAD ? UPG : c->st; continue; }
                if (idle) { c->t0 = now(); fire(c); continue; }
                if (now() < tend) kick(c, now());
                continue;
            }
            readable(c);
        }
        if (idle) {
            while (opened < nconn && opened < (int)done_ + 64) dial(&cs[opened++]);
            if (done_ + errs >= (uint64_t)nconn && !announced) { announced = 1; printf("{\"open\":%d,\"errors\":%lu}\n", live, errs); fflush(stdout); }
        }
    }
    double secs = (now() - start) / 1e9; /* with the wait for the last answers */
    printf("{\"requests\":%lu,\"errors\":%lu,\"secs\":%.4f,\"rps\":%.1f,\"bytes\":%lu,\"reconnects\":%lu,\"conns_opened\":%lu,"
           "\"ok\":%lu,\"bad_status\":%lu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
           done_, errs, secs, done_ / dur, bytes, reconn, nopen, s2xx, sother, pct(.5), pct(.9), pct(.99), pct(.999), pct(1));
    return 0;
}
