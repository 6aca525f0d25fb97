/* Stands in for a full disk where none can be mounted, for a library that is preloaded: while the file that FULL_DISK_FLAG names is
 * there, no write makes a regular file longer (ENOSPC). What a file has already can be written anew, as on a disk without a free block.
 * What it says of itself it may go on to write. Covered is what PostgreSQL calls: write, pwrite, their vectors, and posix_fallocate. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int full(void) {
    const char *flag = getenv("FULL_DISK_FLAG");
    return flag && access(flag, F_OK) == 0;
}

/* Whether a file would grow that is written up to `end`; -1 stands for wherever it is written next. */
static int refused(int fd, off_t end, size_t bytes) {
    struct stat about;
    int before = errno;
    int grows = 0;
    if (fd > 2 && full() && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        if (end < 0) {
            off_t at = fcntl(fd, F_GETFL) & O_APPEND ? about.st_size : lseek(fd, 0, SEEK_CUR);
            end = at + (off_t)bytes;
        }
        grows = end > about.st_size;
    }
    errno = grows ? ENOSPC : before;
    return grows;
}

static size_t length(const struct iovec *pieces, int count) {
    size_t bytes = 0;
    for (int nth = 0; nth < count; nth++)
        bytes += pieces[nth].iov_len;
    return bytes;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) \
        real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *from, size_t bytes) {
    REAL(ssize_t, write, int, const void *, size_t);
    return refused(fd, -1, bytes) ? -1 : real(fd, from, bytes);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return refused(fd, -1, length(pieces, count)) ? -1 : real(fd, pieces, count);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return refused(fd, at + (off_t)bytes, 0) ? -1 : real(fd, from, bytes, at);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at) {
    return pwrite(fd, from, bytes, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) {
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
    return refused(fd, at + (off_t)length(pieces, count), 0) ? -1 : real(fd, pieces, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
    return pwritev(fd, pieces, count, at);
}

/* This one returns its error. */
int posix_fallocate(int fd, off_t at, off_t bytes) {
    REAL(int, posix_fallocate, int, off_t, off_t);
    return refused(fd, at + bytes, 0) ? ENOSPC : real(fd, at, bytes);
}

int posix_fallocate64(int fd, off64_t at, off64_t bytes) {
    return posix_fallocate(fd, at, bytes);
}
