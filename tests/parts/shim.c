/* Fails one call of the C library, the n-th of its kind, in the threads that ask for it: to be preloaded (ld.so(8), LD_PRELOAD).
 *
 * Calls are counted for each kind and for each step of a scenario, and only in a thread that has called `torture_enter`, and in the
 * threads that such a thread creates. The call that is chosen does not happen, and returns the error; but `close` happens, as on Linux it
 * always does, and so does a `connect` that was interrupted or is in progress, as POSIX has it (but not to a path, where the kernel
 * interrupts only the wait for room in the backlog).
 *
 * With a caller's range of addresses, only its allocations are counted: those of one library.
 *
 * `getaddrinfo` answers 127.0.0.1 for names that end with ".test" (RFC 2606), so that no scenario needs a name server. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* The order is that of the names in `calls.py`. */
enum kind {
    SOCKET, SOCKETPAIR, BIND, LISTEN, ACCEPT, CONNECT, SEND, RECV, POLL, SETSOCKOPT, GETSOCKOPT, GETSOCKNAME, GETPEERNAME, SHUTDOWN,
    CLOSE, FCNTL, IOCTL, DUP, SENDFILE, READ, WRITE, OPEN, FSTAT, LSEEK, PTHREAD_CREATE, PTHREAD_KILL, SIGACTION, GETADDRINFO, GETNAMEINFO,
    GETHOSTBYNAME, GETHOSTBYADDR, GETSERVBYNAME, GETSERVBYPORT, GETPROTOBYNAME, GETHOSTNAME, IF_NAMEINDEX, IF_NAMETOINDEX,
    IF_INDEXTONAME, GETIFADDRS, ALLOC, KINDS
};

enum { STEPS = 64 };

struct control {
    int kind, step, nth, value;  /* the call to fail, and with what */
    int onwards;                 /* whether all later calls of the kind fail too */
    int hits;                    /* how many have failed */
    uintptr_t first, last;       /* the addresses of the library whose allocations count */
    unsigned counts[STEPS][KINDS];
};

struct control torture_control = {.kind = -1};
static __thread int counting, step;

void torture_enter(int number) { counting = 1; step = number; }
void torture_leave(void) { counting = 0; }

/* The error with which this call fails; 0 if it is made. */
static int refused(enum kind kind)
{
    struct control *control = &torture_control;
    if (!counting || step >= STEPS)
        return 0;
    int nth = (int)__atomic_add_fetch(&control->counts[step][kind], 1, __ATOMIC_RELAXED);
    if ((int)kind != control->kind)
        return 0;
    int is_it = step == control->step && nth == control->nth;
    int is_later = control->onwards && (step > control->step || (step == control->step && nth > control->nth));
    if (!is_it && !is_later)
        return 0;
    __atomic_add_fetch(&control->hits, 1, __ATOMIC_RELAXED);
    return control->value;
}

/* The C library's own function of this name. */
#define NEXT(name) \
    static typeof(&name) next; \
    if (next == NULL) \
        next = (typeof(&name))dlsym(RTLD_NEXT, #name)

#define FAIL(kind) \
    do { \
        int error = refused(kind); \
        if (error != 0) { \
            errno = error; \
            return -1; \
        } \
    } while (0)

/* A function that fails with -1 and errno. */
#define CALL(kind, type, name, parameters, arguments) \
    type name parameters \
    { \
        NEXT(name); \
        FAIL(kind); \
        return next arguments; \
    }

CALL(SOCKET, int, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(SOCKETPAIR, int, socketpair, (int family, int type, int protocol, int pair[2]), (family, type, protocol, pair))
CALL(BIND, int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
CALL(LISTEN, int, listen, (int fd, int backlog), (fd, backlog))
CALL(ACCEPT, int, accept, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
CALL(ACCEPT, int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), (fd, address, length, flags))
CALL(SEND, ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
CALL(SEND, ssize_t, sendto, (int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length),
     (fd, data, size, flags, address, length))
CALL(SEND, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL(RECV, ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
CALL(RECV, ssize_t, recvfrom, (int fd, void *data, size_t size, int flags, struct sockaddr *address, socklen_t *length),
     (fd, data, size, flags, address, length))
CALL(RECV, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL(POLL, int, poll, (struct pollfd *descriptors, nfds_t count, int timeout), (descriptors, count, timeout))
CALL(POLL, int, ppoll, (struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
     (descriptors, count, timeout, mask))
CALL(SETSOCKOPT, int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length), (fd, level, name, value, length))
CALL(GETSOCKOPT, int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length), (fd, level, name, value, length))
CALL(GETSOCKNAME, int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
CALL(GETPEERNAME, int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
CALL(SHUTDOWN, int, shutdown, (int fd, int how), (fd, how))
CALL(DUP, int, dup, (int fd), (fd))
CALL(DUP, int, dup2, (int fd, int other), (fd, other))
CALL(DUP, int, dup3, (int fd, int other, int flags), (fd, other, flags))
CALL(SENDFILE, ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, count))
CALL(SENDFILE, ssize_t, sendfile64, (int out, int in, off64_t *offset, size_t count), (out, in, offset, count))
CALL(READ, ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
CALL(WRITE, ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
CALL(WRITE, ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
CALL(FSTAT, int, fstat, (int fd, struct stat *status), (fd, status))
CALL(FSTAT, int, fstat64, (int fd, struct stat64 *status), (fd, status))
CALL(LSEEK, off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
CALL(LSEEK, off64_t, lseek64, (int fd, off64_t offset, int whence), (fd, offset, whence))
CALL(GETHOSTNAME, int, gethostname, (char *name, size_t size), (name, size))
CALL(GETIFADDRS, int, getifaddrs, (struct ifaddrs **addresses), (addresses))
CALL(SIGACTION, int, sigaction, (int signal, const struct sigaction *action, struct sigaction *former), (signal, action, former))

/* The library calls statx so: old C libraries have no function for it. */
long syscall(long number, ...)
{
    NEXT(syscall);
    long given[6];
    va_list rest;
    va_start(rest, number);
    for (int index = 0; index < 6; index++)
        given[index] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_statx)
        FAIL(FSTAT);
    return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

int close(int fd)
{
    NEXT(close);
    int error = refused(CLOSE), done = next(fd);
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    return done;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    NEXT(connect);
    int error = refused(CONNECT);
    int goes_on = error == EINPROGRESS || (error == EINTR && address->sa_family != AF_UNIX);
    if (error != 0 && !goes_on) {
        errno = error;
        return -1;
    }
    int done = next(fd, address, length);
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    return done;
}

/* With a third argument or none: what is passed on is a whole register, whatever it holds. */
#define VARIADIC(kind, name, second) \
    int name(int fd, second request, ...) \
    { \
        NEXT(name); \
        va_list rest; \
        va_start(rest, request); \
        void *argument = va_arg(rest, void *); \
        va_end(rest); \
        FAIL(kind); \
        return next(fd, request, argument); \
    }

VARIADIC(FCNTL, fcntl, int)
VARIADIC(FCNTL, fcntl64, int)
VARIADIC(IOCTL, ioctl, unsigned long)

#define OPENS(name) \
    int name(const char *path, int flags, ...) \
    { \
        NEXT(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        FAIL(OPEN); \
        return next(path, flags, mode); \
    }

OPENS(open)
OPENS(open64)

/* Threads: a new thread counts if the one that creates it does. */

struct start {
    void *(*function)(void *);
    void *argument;
    int step, taken;
};

static struct start starts[256];

static void *begin(void *given)
{
    struct start start = *(struct start *)given;
    __atomic_store_n(&((struct start *)given)->taken, 0, __ATOMIC_RELEASE);
    torture_enter(start.step);
    return start.function(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    NEXT(pthread_create);
    int error = refused(PTHREAD_CREATE);
    if (error != 0)
        return error;
    if (counting)
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            struct start *start = &starts[i];
            if (__atomic_exchange_n(&start->taken, 1, __ATOMIC_ACQUIRE))
                continue;
            start->function = function, start->argument = argument, start->step = step;
            error = next(thread, attributes, begin, start);
            if (error != 0)
                start->taken = 0;
            return error;
        }
    return next(thread, attributes, function, argument);
}

int pthread_kill(pthread_t thread, int signal)
{
    NEXT(pthread_kill);
    int error = refused(PTHREAD_KILL);
    return error != 0 ? error : next(thread, signal);
}

/* Look-ups: their errors are codes of their own. A code below -1000 stands for EAI_SYSTEM with an errno. */

static int code(int error)
{
    if (error > -1000)
        return error;
    errno = -1000 - error;
    return EAI_SYSTEM;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    NEXT(getaddrinfo);
    int error = refused(GETADDRINFO);
    if (error != 0)
        return code(error);
    size_t length = host == NULL ? 0 : strlen(host);
    if (length > 5 && strcmp(host + length - 5, ".test") == 0)
        host = "127.0.0.1";
    int was_counting = counting;  /* what the C library does itself is not ours */
    counting = 0;
    int done = next(host, service, hints, found);
    counting = was_counting;
    return done;
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service, socklen_t service_size,
                int flags)
{
    NEXT(getnameinfo);
    int error = refused(GETNAMEINFO);
    return error != 0 ? code(error) : next(address, length, host, host_size, service, service_size, flags);
}

/* A value of -1000 and less stands for an errno that is returned, such as ERANGE. */
#define FAIL_HOST(kind) \
    do { \
        int error = refused(kind); \
        if (error != 0) { \
            *found = NULL; \
            *error_of_host = error <= -1000 ? NETDB_INTERNAL : error; \
            return error <= -1000 ? (errno = -1000 - error) : 0; \
        } \
    } while (0)

int gethostbyname_r(const char *name, struct hostent *entry, char *buffer, size_t size, struct hostent **found, int *error_of_host)
{
    NEXT(gethostbyname_r);
    FAIL_HOST(GETHOSTBYNAME);
    return next(name, entry, buffer, size, found, error_of_host);
}

int gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *entry, char *buffer, size_t size,
                    struct hostent **found, int *error_of_host)
{
    NEXT(gethostbyaddr_r);
    FAIL_HOST(GETHOSTBYADDR);
    return next(address, length, family, entry, buffer, size, found, error_of_host);
}

/* A table that has no such entry; the functions with a buffer return an errno, and the others say nothing else. */
#define FAIL_ENTRY(kind) \
    do { \
        int error = refused(kind); \
        if (error != 0) { \
            *found = NULL; \
            return error == ENOENT ? 0 : error; \
        } \
    } while (0)

#define FAIL_NULL(kind) \
    do { \
        int error = refused(kind); \
        if (error != 0) { \
            errno = error; \
            return NULL; \
        } \
    } while (0)

int getservbyname_r(const char *name, const char *protocol, struct servent *entry, char *buffer, size_t size, struct servent **found)
{
    NEXT(getservbyname_r);
    FAIL_ENTRY(GETSERVBYNAME);
    return next(name, protocol, entry, buffer, size, found);
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    NEXT(getservbyname);
    FAIL_NULL(GETSERVBYNAME);
    return next(name, protocol);
}

int getservbyport_r(int port, const char *protocol, struct servent *entry, char *buffer, size_t size, struct servent **found)
{
    NEXT(getservbyport_r);
    FAIL_ENTRY(GETSERVBYPORT);
    return next(port, protocol, entry, buffer, size, found);
}

struct servent *getservbyport(int port, const char *protocol)
{
    NEXT(getservbyport);
    FAIL_NULL(GETSERVBYPORT);
    return next(port, protocol);
}

int getprotobyname_r(const char *name, struct protoent *entry, char *buffer, size_t size, struct protoent **found)
{
    NEXT(getprotobyname_r);
    FAIL_ENTRY(GETPROTOBYNAME);
    return next(name, entry, buffer, size, found);
}

struct protoent *getprotobyname(const char *name)
{
    NEXT(getprotobyname);
    FAIL_NULL(GETPROTOBYNAME);
    return next(name);
}

struct if_nameindex *if_nameindex(void)
{
    NEXT(if_nameindex);
    FAIL_NULL(IF_NAMEINDEX);
    return next();
}

unsigned if_nametoindex(const char *name)
{
    NEXT(if_nametoindex);
    int error = refused(IF_NAMETOINDEX);
    if (error != 0) {
        errno = error;
        return 0;
    }
    return next(name);
}

char *if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
    NEXT(if_indextoname);
    FAIL_NULL(IF_INDEXTONAME);
    return next(index, name);
}

/* Allocations of one library. `calloc` cannot ask dlsym(3) for the next one, which allocates itself. */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

#define FAIL_ALLOC(value) \
    do { \
        uintptr_t caller = (uintptr_t)__builtin_return_address(0); \
        if (counting && caller - torture_control.first < torture_control.last - torture_control.first && refused(ALLOC)) { \
            errno = ENOMEM; \
            return value; \
        } \
    } while (0)

void *malloc(size_t size)
{
    FAIL_ALLOC(NULL);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    FAIL_ALLOC(NULL);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    FAIL_ALLOC(NULL);
    return __libc_realloc(old, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    FAIL_ALLOC(ENOMEM);
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}
