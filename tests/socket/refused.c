/* What an old kernel, or a policy, refuses, and an error in the middle of a send: a library to preload, which is told what to do by name. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

int refuses_accept4, refuses_ppoll;
int ppolls; /* how many were refused */
int resets = -1, sends; /* of this descriptor the second send fails */

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    int (*real)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    if (!refuses_accept4)
        return real(fd, address, length, flags);
    errno = ENOSYS;
    return -1;
}

int ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) = dlsym(RTLD_NEXT, "ppoll");
    if (!refuses_ppoll)
        return real(descriptors, count, timeout, mask);
    __sync_fetch_and_add(&ppolls, 1);
    errno = EPERM;
    return -1;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
    if (fd != resets || ++sends != 2)
        return real(fd, bytes, size, flags);
    errno = ECONNRESET;
    return -1;
}
