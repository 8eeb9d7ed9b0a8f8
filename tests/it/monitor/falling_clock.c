/* A wall clock that is set back by an hour before each reading: preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    static long readings;
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, time);
    if (!failed && clock == CLOCK_REALTIME)
        time->tv_sec -= 3600 * __atomic_add_fetch(&readings, 1, __ATOMIC_RELAXED);
    return failed;
}
