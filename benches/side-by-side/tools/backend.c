/* A backend for HTTP/1.1 on epoll, kept alive: ready-made answers by path, /0 /1k /64k /1m
 * (else /1k). A request with "Upgrade:" gets a 101, and from there on its own bytes back.
 * GET only: a body would be taken for the next request.
 *   backend PORT [PORT...]        listens on 127.0.0.1, single thread
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RBUF 8192
struct conn { int fd, listener, echo; size_t have; const char *out; size_t outlen; unsigned ev; char buf[RBUF]; };
struct resp { char *p; size_t n; } R[4];
static const size_t SZ[4] = {0, 1024, 65536, 1 << 20};
static const char UP[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static int ep;

static int pick(const char *b) { /* b = "GET /xxx " */
    const char *p = b + 5;
    if (p[0] == '0') return 0;
    if (p[0] == '1' && p[1] == 'k') return 1;
    if (p[0] == '6') return 2;
    if (p[0] == '1' && p[1] == 'm') return 3;
    return 1;
}
static void want(struct conn *c, unsigned ev) {
    if (c->ev == ev) return;
    c->ev = ev;
    struct epoll_event e = {.events = ev, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void drop(struct conn *c) { close(c->fd); free(c); }
/* 1 = all sent, 0 = blocked, -1 = error */
static int flush(struct conn *c) {
    while (c->outlen) {
        ssize_t n = send(c->fd, c->out, c->outlen, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) { if (errno == EAGAIN) { want(c, EPOLLOUT); return 0; } return -1; }
        c->out += n; c->outlen -= n;
    }
    want(c, EPOLLIN);
    return 1;
}
static int process(struct conn *c) {
    for (;;) {
        if (c->outlen) return 0;
        if (c->echo) {
            if (!c->have) return 0;
            c->out = c->buf; c->outlen = c->have; c->have = 0;
            if (flush(c) < 0) return -1;
            continue;
        }
        char *e = c->have >= 4 ? memmem(c->buf, c->have, "\r\n\r\n", 4) : NULL;
        if (!e) return c->have == RBUF ? -1 : 0;
        size_t n = e + 4 - c->buf;
        if (memmem(c->buf, n, "pgrade: ", 8)) { c->echo = 1; c->out = UP; c->outlen = sizeof UP - 1; }
        else { struct resp *r = &R[pick(c->buf)]; c->out = r->p; c->outlen = r->n; }
        if (n < c->have) memmove(c->buf, c->buf + n, c->have - n);
        c->have -= n;
        if (flush(c) < 0) return -1;
    }
}
int main(int ac, char **av) {
    signal(SIGPIPE, SIG_IGN);
    ep = epoll_create1(0);
    for (int i = 0; i < 4; i++) {
        char h[256];
        int hl = snprintf(h, sizeof h, "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sat, 01 Jan 2028 00:00:00 GMT\r\n"
                          "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", SZ[i]);
        R[i].n = hl + SZ[i]; R[i].p = malloc(R[i].n);
        memcpy(R[i].p, h, hl); memset(R[i].p + hl, 'x', SZ[i]);
    }
    for (int i = 1; i < ac; i++) {
        int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(av[i])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (bind(s, (void *)&a, sizeof a) || listen(s, 4096)) { perror("listen"); return 1; }
        struct conn *c = calloc(1, sizeof *c);
        c->fd = s; c->listener = 1;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
    }
    struct epoll_event ev[256];
    for (;;) {
        int n = epoll_wait(ep, ev, 256, -1);
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (c->listener) {
                int f;
                while ((f = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    int on = 1;
                    setsockopt(f, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    struct conn *k = malloc(sizeof *k);
                    k->fd = f; k->listener = k->echo = 0; k->have = k->outlen = 0; k->ev = EPOLLIN;
                    struct epoll_event e = {.events = EPOLLIN, .data.ptr = k};
                    epoll_ctl(ep, EPOLL_CTL_ADD, f, &e);
                }
                continue;
            }
            if (ev[i].events & EPOLLOUT) {
                int r = flush(c);
                if (r < 0 || (r > 0 && process(c) < 0)) { drop(c); continue; }
            } else {
                ssize_t r = recv(c->fd, c->buf + c->have, RBUF - c->have, 0);
                if (r == 0 || (r < 0 && errno != EAGAIN)) { drop(c); continue; }
                if (r > 0) { c->have += r; if (process(c) < 0) { drop(c); continue; } }
            }
        }
    }
}
