/* SPDX-License-Identifier: MIT */
#include "cli/sink_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/net.h"
#include "daemon/base/text.h"
#include "daemon/conf/secret.h"
#include "daemon/http/client.h"

static const char unix_begin[] = "unix:";

static bool sink_address_fail(const struct sink_address *a, const char *problem, char *why)
{
    snprintf(why, SINK_WHY_SIZE, "--sink %s: %s", a->shown, problem);
    return false;
}

/* ---- addresses */

static bool sink_address_set_unix(struct sink_address *a, char *why)
{
    struct sockaddr_storage address;
    socklen_t len;

    if (!address_read(a->address, &address, &len))
        return sink_address_fail(a, "expected a path of 1 to 107 bytes after unix:", why);
    a->unix_path = a->address + strlen(unix_begin);
    a->url = strdup("http://localhost");
    return a->url != NULL || sink_address_fail(a, "out of memory", why);
}

/* Returns HOST:PORT of the URL, `*len` bytes. */
static const char *sink_address_authority(const char *url, size_t *len)
{
    const char *begin = strstr(url, "://") + 3;

    *len = strcspn(begin, "/?#");
    return begin;
}

static bool sink_address_check_url(const struct sink_address *a, char *why)
{
    const char *problem, *authority;
    size_t len;

    if (strstr(a->url, "://") == NULL)
        return sink_address_fail(a, "expected unix:PATH, ADDRESS:PORT or a URL", why);
    authority = sink_address_authority(a->url, &len);
    if (memchr(authority, '@', len) != NULL) {
        snprintf(why, SINK_WHY_SIZE,
                 "--sink: expected a URL without user and password; use --sink-token");
        return false;
    }
    if ((problem = client_url_problem(a->url)) != NULL)
        return sink_address_fail(a, problem, why);
    if (strchr(a->url, '?') != NULL)
        return sink_address_fail(a, "expected a URL without a query", why);
    return true;
}

static bool sink_address_set_url(struct sink_address *a, char *why)
{
    char guess[200];
    size_t len;

    if (strstr(a->address, "://") == NULL && a->address[0] != '\0' &&
        (strchr(a->address, '/') != NULL || strchr(a->address, ':') == NULL)) {
        snprintf(guess, sizeof(guess),
                 "expected unix:PATH, ADDRESS:PORT or a URL; did you mean unix:%.100s?", a->shown);
        return sink_address_fail(a, guess, why);
    }
    if (asprintf(&a->url, "%s%s", strstr(a->address, "://") == NULL ? "http://" : "", a->address) <
        0) {
        a->url = NULL;
        return sink_address_fail(a, "out of memory", why);
    }
    if (!sink_address_check_url(a, why))
        return false;
    for (len = strlen(a->url); a->url[len - 1] == '/'; len--)
        a->url[len - 1] = '\0';
    return true;
}

/* ---- token */

/* Refuses to send the token in cleartext to another host, because anyone on the path could read
 * it. */
static bool sink_address_allows_token(const struct sink_address *a, char *why)
{
    const char *authority;
    size_t len;

    authority = sink_address_authority(a->url, &len);
    if (strncasecmp(a->url, "https://", 8) == 0 || host_check_is_local(authority, len))
        return true;
    return sink_address_fail(
        a,
        "use https://, because anyone on the path can read a token sent over http://; http:// "
        "is for this machine only (localhost, 127.0.0.1, [::1])",
        why);
}

static bool sink_address_is_token(const char *text)
{
    const char *at = text;

    while (*at > ' ' && *at < 0x7f)
        at++;
    return at != text && *at == '\0';
}

static bool sink_address_write_header(struct sink_address *a, const char *token, char *why)
{
    static const char begin[] = "Authorization: Bearer ";
    size_t size = sizeof(begin) + strlen(token);

    if (!sink_address_is_token(token)) {
        snprintf(why, SINK_WHY_SIZE, "--sink-token: expected printable ASCII without blanks");
        return false;
    }
    if ((a->authorization = malloc(size)) == NULL) {
        snprintf(why, SINK_WHY_SIZE, "out of memory");
        return false;
    }
    snprintf(a->authorization, size, "%s%s", begin, token);
    a->headers[0] = a->authorization;
    return true;
}

static bool sink_address_set_token(struct sink_address *a, const struct option_secrets *token,
                                   char *why)
{
    static const char option[] = "--sink-token: ";
    char *text;
    bool good;

    if (token->count == 0 || a->unix_path != NULL)
        return true;
    if (!sink_address_allows_token(a, why))
        return false;
    memcpy(why, option, sizeof(option));
    text = secret_read(&token->items[token->count - 1], why + sizeof(option) - 1,
                       SINK_WHY_SIZE - sizeof(option) + 1);
    good = text != NULL && sink_address_write_header(a, text, why);
    secret_free(&text);
    return good;
}

/* ---- open and close */

static const char *sink_address_choose(const struct sink_options *options)
{
    const char *chosen = options->address != NULL ? options->address : getenv("HOOKLINE_SINK");

    return chosen == NULL || (chosen[0] == '\0' && options->address == NULL) ? SINK_DEFAULT_ADDRESS
                                                                             : chosen;
}

bool sink_address_open(struct sink_address *a, const struct sink_options *options,
                       char why[SINK_WHY_SIZE])
{
    bool is_unix;

    *a =
        (struct sink_address){.address = sink_address_choose(options), .ca_file = options->ca_file};
    text_copy_printable(a->shown, sizeof(a->shown), a->address, strlen(a->address));
    is_unix = strncmp(a->address, unix_begin, strlen(unix_begin)) == 0;
    if ((is_unix ? sink_address_set_unix(a, why) : sink_address_set_url(a, why)) &&
        sink_address_set_token(a, &options->token, why))
        return true;
    sink_address_close(a);
    return false;
}

void sink_address_close(struct sink_address *a)
{
    if (a->authorization != NULL)
        explicit_bzero(a->authorization, strlen(a->authorization));
    free(a->authorization);
    free(a->url);
    *a = (struct sink_address){.url = NULL};
}

/* ---- failed connections */

static int sink_address_try_connect(const char *path)
{
    char text[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage address;
    socklen_t len;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;

    snprintf(text, sizeof(text), "%s%s", unix_begin, path);
    if (fd < 0 || !address_read(text, &address, &len) ||
        connect(fd, (struct sockaddr *)&address, len) != 0)
        error = errno;
    if (fd >= 0)
        close(fd);
    return error;
}

/* libcurl reports only that it could not connect. */
static const char *sink_address_explain_unix(const char *path, const char *error)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return "not a socket";
    switch (sink_address_try_connect(path)) {
    case ENOENT:
    case ENOTDIR:
        return "no such file; is hooklined running with this admin address?";
    case EACCES:
    case EPERM:
        return "permission denied: use sudo, or join the socket's group (SocketGroup=)";
    case ECONNREFUSED:
        return "nothing listens on this socket: hooklined was killed or crashed; start it again";
    default:
        return error;
    }
}

void sink_address_explain(const struct sink_address *a, const char *error, char *text, size_t size)
{
    if (a->unix_path != NULL)
        error = sink_address_explain_unix(a->unix_path, error);
    snprintf(text, size, "%s: %s", a->shown, error);
}
