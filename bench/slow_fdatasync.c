/* Makes fdatasync slower, for a library that is preloaded: by SLOW_FDATASYNC_MS milliseconds each. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *text = getenv("SLOW_FDATASYNC_MS");
    long milliseconds = text ? atol(text) : 0;
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    /* A signal wakes it early; PostgreSQL's processes signal one another all the time. */
    while (nanosleep(&left, &left) != 0) {
    }
    return real(fd);
}
