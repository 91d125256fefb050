/* SPDX-License-Identifier: MIT */
#include "cli/ping/turn.h"

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
    LOOK_MS = 100, /* how often it is looked whether to give up */
    STEP_MS = 1,   /* between the holder's bind() and its listen() */
};

struct turn {
    int fd;
};

/* A path to the sink's socket may be written in many ways, and so may a URL. */
static char *canonical(const char *sink)
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

static bool name_of(const struct turn_wish *wish, struct sockaddr_un *address, socklen_t *len)
{
    unsigned char hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1], *sink = canonical(wish->sink), *both = NULL;
    int written, size = sink == NULL ? -1 : asprintf(&both, "%s\n%s", sink, wish->source);

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

static int holder_of(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? (int)peer.pid : 0;
}

/* Until the holder ends, or it is time to look around. */
static void wait_for_holder(const struct sockaddr_un *address, socklen_t len,
                            const struct turn_wish *wish, int *holder)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    int ready = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, len) != 0) {
        poll(NULL, 0, STEP_MS);
    } else {
        *holder = holder_of(fd);
        while (ready == 0 && clock_mono_us() < wish->deadline_us &&
               (wish->interrupted == NULL || !wish->interrupted(wish->data)))
            ready = poll(&ended, 1, LOOK_MS);
        if (ready > 0)
            *holder = 0;
    }
    if (fd >= 0)
        close(fd);
}

static enum turn_result try_to_take(int fd, const struct sockaddr_un *address, socklen_t len)
{
    if (bind(fd, (const struct sockaddr *)address, len) != 0)
        return errno == EADDRINUSE ? TURN_LATE : TURN_FAILED;
    return listen(fd, SOMAXCONN) == 0 ? TURN_TAKEN : TURN_FAILED;
}

static enum turn_result take(int fd, const struct turn_wish *wish, int *holder)
{
    struct sockaddr_un address;
    enum turn_result result;
    bool told = false;
    socklen_t len;

    if (!name_of(wish, &address, &len)) {
        errno = ENOMEM;
        return TURN_FAILED;
    }
    while ((result = try_to_take(fd, &address, len)) == TURN_LATE) {
        if (wish->interrupted != NULL && wish->interrupted(wish->data))
            return TURN_INTERRUPTED;
        if (clock_mono_us() >= wish->deadline_us)
            return TURN_LATE;
        if (!told && wish->waiting != NULL)
            wish->waiting(wish->data);
        told = true;
        wait_for_holder(&address, len, wish, holder);
    }
    return result;
}

enum turn_result turn_take(struct turn **turn, const struct turn_wish *wish, int *holder)
{
    enum turn_result result = TURN_FAILED;
    int saved;

    *holder = 0;
    *turn = calloc(1, sizeof(**turn));
    if (*turn == NULL)
        return TURN_FAILED;
    (*turn)->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if ((*turn)->fd >= 0)
        result = take((*turn)->fd, wish, holder);
    if (result != TURN_TAKEN) {
        saved = errno;
        turn_end(turn);
        errno = saved;
    }
    return result;
}

void turn_end(struct turn **turn)
{
    if (*turn == NULL)
        return;
    if ((*turn)->fd >= 0)
        close((*turn)->fd);
    free(*turn);
    *turn = NULL;
}
