/* A machine whose clock jumps and whose disk is full, for one program: preloaded into it, steered through a file.
 *
 * The file of MACHINE_SWITCHES holds two 64-bit numbers: seconds by which the clock is off, and whether the disk under
 * MACHINE_HOME is full. Time that only passes (CLOCK_MONOTONIC) is left alone, as a real jump leaves it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *switches;

__attribute__((constructor)) static void attach(void) {
    const char *name = getenv("MACHINE_SWITCHES");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *seen = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (seen != MAP_FAILED) switches = seen;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && switches && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += switches[0];
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (to) *to = exact.tv_sec;
    return exact.tv_sec;
}

static int is_full(int file) {
    char link[64], path[4096];
    const char *home = getenv("MACHINE_HOME");
    if (!switches || !switches[1] || !home) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strncmp(path, home, strlen(home)) != 0) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int file, const void *data, size_t size) {
    return is_full(file) ? -1 : syscall(SYS_write, file, data, size);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    return is_full(file) ? -1 : syscall(SYS_writev, file, parts, count);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return is_full(file) ? -1 : syscall(SYS_pwrite64, file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return is_full(file) ? -1 : syscall(SYS_pwrite64, file, data, size, at);
}

int ftruncate64(int file, off64_t size) {
    return is_full(file) ? -1 : (int)syscall(SYS_ftruncate, file, size);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
    return is_full(file) ? ENOSPC : (syscall(SYS_fallocate, file, 0, at, size) == 0 ? 0 : errno);
}
