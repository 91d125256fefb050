/* SPDX-License-Identifier: MIT */
#include "daemon/http/unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    UNIX_SOCKET_MODE = 0660
};

struct unix_socket {
    char *path;
    dev_t device;
    ino_t number;
};

/* 0 if nobody listens there any more. A socket that is not ours to ask may have somebody. */
static int unix_socket_in_use(const struct sockaddr_un *address)
{
    int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    close(fd);
    if (error == ECONNREFUSED)
        return 0;
    return error == EACCES ? EACCES : EADDRINUSE;
}

static bool unix_socket_clear_path(const struct sockaddr_un *address)
{
    struct stat st;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT;
    errno = S_ISSOCK(st.st_mode) ? unix_socket_in_use(address) : EEXIST;
    return errno == 0 && unlink(address->sun_path) == 0;
}

/* The mode is set before the file is there, so that nobody slips in, and again for the sake of a
 * umask that is stricter. */
static bool unix_socket_bind(int fd, const struct sockaddr_un *address)
{
    return fchmod(fd, UNIX_SOCKET_MODE) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           chmod(address->sun_path, UNIX_SOCKET_MODE) == 0 && listen(fd, SOMAXCONN) == 0;
}

static struct unix_socket *unix_socket_note_file(const char *path)
{
    struct unix_socket *s = calloc(1, sizeof(*s));
    struct stat st;

    if (s == NULL || (s->path = strdup(path)) == NULL || lstat(path, &st) != 0) {
        if (s != NULL)
            free(s->path);
        free(s);
        return NULL;
    }
    s->device = st.st_dev;
    s->number = st.st_ino;
    return s;
}

struct unix_socket *unix_socket_open(const struct sockaddr_storage *address, int *fd)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    struct unix_socket *s = NULL;
    int saved;

    if (!unix_socket_clear_path(local))
        return NULL;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && unix_socket_bind(*fd, local))
        s = unix_socket_note_file(local->sun_path);
    if (s == NULL && *fd >= 0) {
        saved = errno;
        close(*fd);
        errno = saved;
    }
    return s;
}

void unix_socket_remove(struct unix_socket **socket)
{
    struct unix_socket *s = *socket;
    struct stat st;

    if (s == NULL)
        return;
    if (lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->number)
        unlink(s->path);
    free(s->path);
    free(s);
    *socket = NULL;
}
