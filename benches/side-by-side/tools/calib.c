/* A fixed piece of work (system calls, integers, cache misses); prints the CPU milliseconds that it took.
 * Run on the proxy's core before and after each sample: a shared or slowed core shows. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int main(void) {
    size_t n = 1 << 20; uint64_t *m = malloc(n * 8), x = 88172645463325252ull, s = 0;
    for (size_t i = 0; i < n; i++) m[i] = i;
    struct timespec a, b;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < 100000; i++) s += syscall(SYS_getppid);
    for (int i = 0; i < 8000000; i++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; }
    for (int i = 0; i < 1500000; i++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; s += m[x & (n - 1)]; m[(x >> 20) & (n - 1)] = s; }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    printf("%.4f %u\n", (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6, (unsigned)(s & 1));
    return 0;
}
