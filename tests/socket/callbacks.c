/* A thread that calls back again and again, and sleeps for a tenth of a millisecond in between. */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef void (*callback)(void);

static atomic_int over;
static pthread_t thread;

static void *call(void *back) {
    struct timespec pause = {0, 100000};
    while (!over) {
        nanosleep(&pause, 0);
        ((callback)back)();
    }
    return 0;
}

void start(callback back) {
    pthread_create(&thread, 0, call, (void *)back);
}

void stop(void) {
    over = 1;
    pthread_join(thread, 0);
}
