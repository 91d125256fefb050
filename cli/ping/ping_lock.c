/* SPDX-License-Identifier: MIT */
#include "cli/ping/ping_lock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/base/clock.h"

enum {
    HASH_BYTES = 16,
    CHECK_MS = 100, /* between two calls of interrupted() */
    STEP_MS = 1,    /* between the holder's bind() and its listen() */
};

struct ping_lock {
    int fd;
};

/* Socket paths and URLs have many spellings; pings must agree on one. */
static char *ping_lock_canonical_sink(const char *sink)
{
    char *path = strncmp(sink, "unix:", 5) == 0 ? realpath(sink + 5, NULL) : NULL;
    size_t len;

    if (path != NULL)
        return path;
    if (strncmp(sink, "http://", 7) == 0)
        sink += 7;
    for (len = strlen(sink); len > 0 && sink[len - 1] == '/'; len--)
        ;
    return strndup(sink, len);
}

static bool ping_lock_socket_name(const struct ping_lock_request *request,
                                  struct sockaddr_un *address, socklen_t *len)
{
    unsigned char hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1], *sink = ping_lock_canonical_sink(request->sink), *both = NULL;
    int written, size = sink == NULL ? -1 : asprintf(&both, "%s\n%s", sink, request->source);

    free(sink);
    if (size < 0)
        return false;
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)both, (size_t)size, NULL, 0);
    free(both);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    written = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "hookline/ping/%u/%s",
                       (unsigned)getuid(), hex);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)written);
    return true;
}

static int ping_lock_holder(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? (int)peer.pid : 0;
}

/* Returns when the holder ends, at the deadline, or when interrupted. */
static void ping_lock_wait(const struct sockaddr_un *address, socklen_t len,
                           const struct ping_lock_request *request, int *holder)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    int ready = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, len) != 0) {
        poll(NULL, 0, STEP_MS);
    } else {
        *holder = ping_lock_holder(fd);
        while (ready == 0 && clock_mono_us() < request->deadline_us &&
               (request->interrupted == NULL || !request->interrupted(request->data)))
            ready = poll(&ended, 1, CHECK_MS);
        if (ready > 0)
            *holder = 0;
    }
    if (fd >= 0)
        close(fd);
}

static enum ping_lock_result ping_lock_try(int fd, const struct sockaddr_un *address, socklen_t len)
{
    if (bind(fd, (const struct sockaddr *)address, len) != 0)
        return errno == EADDRINUSE ? PING_LOCK_BUSY : PING_LOCK_FAILED;
    return listen(fd, SOMAXCONN) == 0 ? PING_LOCK_TAKEN : PING_LOCK_FAILED;
}

static enum ping_lock_result
ping_lock_wait_and_take(int fd, const struct ping_lock_request *request, int *holder)
{
    struct sockaddr_un address;
    enum ping_lock_result result;
    bool told = false;
    socklen_t len;

    if (!ping_lock_socket_name(request, &address, &len)) {
        errno = ENOMEM;
        return PING_LOCK_FAILED;
    }
    while ((result = ping_lock_try(fd, &address, len)) == PING_LOCK_BUSY) {
        if (request->interrupted != NULL && request->interrupted(request->data))
            return PING_LOCK_INTERRUPTED;
        if (clock_mono_us() >= request->deadline_us)
            return PING_LOCK_BUSY;
        if (!told && request->waiting != NULL)
            request->waiting(request->data);
        told = true;
        ping_lock_wait(&address, len, request, holder);
    }
    return result;
}

enum ping_lock_result ping_lock_take(struct ping_lock **lock,
                                     const struct ping_lock_request *request, int *holder)
{
    enum ping_lock_result result = PING_LOCK_FAILED;
    int saved;

    *holder = 0;
    *lock = calloc(1, sizeof(**lock));
    if (*lock == NULL)
        return PING_LOCK_FAILED;
    (*lock)->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if ((*lock)->fd >= 0)
        result = ping_lock_wait_and_take((*lock)->fd, request, holder);
    if (result != PING_LOCK_TAKEN) {
        saved = errno;
        ping_lock_release(lock);
        errno = saved;
    }
    return result;
}

void ping_lock_release(struct ping_lock **lock)
{
    if (*lock == NULL)
        return;
    if ((*lock)->fd >= 0)
        close((*lock)->fd);
    free(*lock);
    *lock = NULL;
}
