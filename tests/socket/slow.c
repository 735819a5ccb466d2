/* A slow interpreter, a library to preload: each signal that it is free takes 20 microseconds, and is counted. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

int signals;

int pthread_cond_signal(pthread_cond_t *condition) {
    static int (*real)(pthread_cond_t *);
    if (!real)
        real = dlsym(RTLD_NEXT, "pthread_cond_signal");
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begun.tv_sec) * 1000000000 + now.tv_nsec - begun.tv_nsec < 20000);
    __sync_fetch_and_add(&signals, 1);
    return real(condition);
}
