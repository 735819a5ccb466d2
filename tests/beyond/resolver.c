/* A resolver for tests, to be preloaded (ld.so(8), LD_PRELOAD): it answers for names that end with ".test" (RFC 2606) and
 * for the addresses 192.0.2.x (RFC 5737), and leaves everything else to the C library.
 *
 *   *.held.test, 192.0.2.x  wait until the file $RESOLVER_RELEASE exists
 *   unknown.test            EAI_NONAME
 *   again.test              EAI_AGAIN
 *   system.test             EAI_SYSTEM, with errno EMFILE
 *   others                  127.0.0.1
 *
 * Each question is a line of the file $RESOLVER_LOG: function, name, process, thread. With $RESOLVER_NO_THREADS no thread can be made. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);
    return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static void note(const char *function, const char *name)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%s %.255s %d %d\n", function, name, (int)getpid(), (int)gettid());
    int file = open(getenv("RESOLVER_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, length) != length)
        abort();
    close(file);
}

static void hold(void)
{
    const char *release = getenv("RESOLVER_RELEASE");
    for (int i = 0; i < 15000 && access(release, F_OK) != 0; i++)
        usleep(2000);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    typeof(&getaddrinfo) next = (typeof(&getaddrinfo))dlsym(RTLD_NEXT, "getaddrinfo");
    if (host == NULL || !ends_with(host, ".test") || (hints->ai_flags & AI_NUMERICHOST))
        return next(host, service, hints, found);
    note("getaddrinfo", host);
    if (ends_with(host, ".held.test"))
        hold();
    if (strcmp(host, "unknown.test") == 0)
        return EAI_NONAME;
    if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "system.test") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    return next("127.0.0.1", service, hints, found);
}

int gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t size, struct hostent **found, int *code)
{
    typeof(&gethostbyname_r) next = (typeof(&gethostbyname_r))dlsym(RTLD_NEXT, "gethostbyname_r");
    if (!ends_with(name, ".test"))
        return next(name, host, buffer, size, found, code);
    note("gethostbyname", name);
    return next("127.0.0.1", host, buffer, size, found, code);
}

int gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *host, char *buffer, size_t size,
                    struct hostent **found, int *code)
{
    typeof(&gethostbyaddr_r) next = (typeof(&gethostbyaddr_r))dlsym(RTLD_NEXT, "gethostbyaddr_r");
    if (family == AF_INET && memcmp(address, "\300\0\2", 3) == 0) {
        note("gethostbyaddr", "192.0.2");
        hold();
        /* h_errno itself is not set, as the C library does not set it here either. */
        *code = NO_RECOVERY;
        *found = NULL;
        return ENOENT;
    }
    return next(address, length, family, host, buffer, size, found, code);
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
                socklen_t service_size, int flags)
{
    typeof(&getnameinfo) next = (typeof(&getnameinfo))dlsym(RTLD_NEXT, "getnameinfo");
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    if (v4->sin_family == AF_INET && memcmp(&v4->sin_addr, "\300\0\2", 3) == 0 && !(flags & NI_NUMERICHOST)) {
        note("getnameinfo", "192.0.2");
        hold();
        return EAI_AGAIN;
    }
    return next(address, length, host, host_size, service, service_size, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    typeof(&pthread_create) next = (typeof(&pthread_create))dlsym(RTLD_NEXT, "pthread_create");
    return getenv("RESOLVER_NO_THREADS") ? EAGAIN : next(thread, attributes, run, argument);
}
