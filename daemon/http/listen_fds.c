/* SPDX-License-Identifier: MIT */
#include "daemon/http/listen_fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/base/process.h"
#include "daemon/base/systemd.h"
#include "daemon/conf/config.h"

/* Returns true for a name that the administrator did not choose: none, or the unit's name. */
static bool listen_fds_is_unnamed(const char *name)
{
    const char suffix[] = ".socket";
    size_t len = strlen(name);

    return len == 0 || strcmp(name, "unknown") == 0 ||
           (len > strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0);
}

static struct sockaddr_storage listen_fds_address_of(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        address.ss_family = AF_UNSPEC;
    return address;
}

/* Rejects sockets without a printable address, e.g. an unnamed Unix socket. */
static bool listen_fds_has_address(int fd)
{
    struct sockaddr_storage address = listen_fds_address_of(fd);

    return address.ss_family == AF_INET || address.ss_family == AF_INET6 ||
           (address.ss_family == AF_UNIX &&
            ((const struct sockaddr_un *)&address)->sun_path[0] != '\0');
}

static bool listen_fds_is_listening(int fd)
{
    int type = 0, listening = 0;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* Passed sockets obey the token rule of configured addresses. */
static bool listen_fds_may_be_admin(int fd, const struct config_admin *admin)
{
    struct sockaddr_storage address = listen_fds_address_of(fd);
    char text[ADDRESS_TEXT_SIZE];

    if (admin->token != NULL || address_is_local(&address))
        return true;
    address_write(&address, text);
    message_error("passed socket admin: other machines can reach %s without a token: configure "
                  "admin.token, or pass a Unix socket, 127.0.0.1 or [::1]",
                  text);
    return false;
}

static bool listen_fds_take_one(struct listen_fds_by_use *passed, const struct systemd_socket *s,
                                const struct config_admin *admin)
{
    bool is_admin = strcmp(s->name, "admin") == 0;
    struct listen_fds *kind = is_admin ? &passed->admin : &passed->ingest;

    if (!is_admin && strcmp(s->name, "ingest") != 0 && !listen_fds_is_unnamed(s->name))
        message_error("passed socket %s: name must be ingest or admin", s->name);
    else if (!listen_fds_is_listening(s->fd) || !listen_fds_has_address(s->fd))
        message_error("passed socket %s: expected a listening TCP socket, or a listening Unix "
                      "stream socket with a path",
                      s->name);
    else if (kind->count == LISTEN_FDS_MAX)
        message_error("more than %d passed sockets for one use (ingest or admin)", LISTEN_FDS_MAX);
    else if (!is_admin || listen_fds_may_be_admin(s->fd, admin)) {
        kind->fd[kind->count++] = s->fd;
        return true;
    }
    return false;
}

int listen_fds_take(struct listen_fds_by_use *passed, const struct config_admin *admin)
{
    struct systemd_socket *sockets;
    int count = systemd_listen_sockets(&sockets), code = count < 0 ? EXIT_FAILED : EXIT_SUCCESS;

    *passed = (struct listen_fds_by_use){0};
    if (count < 0)
        message_error("cannot take the passed sockets (LISTEN_FDS and LISTEN_FDNAMES): %s",
                      strerror(errno));
    for (int i = 0; i < count; i++) {
        if (code == EXIT_SUCCESS && !listen_fds_take_one(passed, &sockets[i], admin))
            code = EXIT_CONFIGURATION;
        free(sockets[i].name);
    }
    free(sockets);
    return code;
}

bool listen_fds_has(const struct listen_fds *sockets, const char *text)
{
    char wanted[ADDRESS_TEXT_SIZE], bound[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage address;
    socklen_t len;

    if (!address_read(text, &address, &len))
        return false;
    address_write(&address, wanted);
    for (size_t i = 0; i < sockets->count; i++) {
        address = listen_fds_address_of(sockets->fd[i]);
        address_write(&address, bound);
        if (strcmp(bound, wanted) == 0)
            return true;
    }
    return false;
}
