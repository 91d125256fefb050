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
#include "daemon/http/client.h"
#include "daemon/http/host_check.h"
#include "daemon/conf/secret.h"
#include "daemon/base/text.h"

static const char unix_begin[] = "unix:";

static bool sink_address_fail(const struct sink_address *p, const char *problem, char *why)
{
    snprintf(why, SINK_WHY_SIZE, "--sink %s: %s", p->shown, problem);
    return false;
}

/* ---- addresses */

static bool sink_address_set_unix(struct sink_address *p, char *why)
{
    struct sockaddr_storage address;
    socklen_t len;

    if (!address_read(p->address, &address, &len))
        return sink_address_fail(p, "expected a path of 1 to 107 bytes after unix:", why);
    p->unix_path = p->address + strlen(unix_begin);
    p->url = strdup("http://localhost");
    return p->url != NULL || sink_address_fail(p, "out of memory", why);
}

/* From the URL's host to the end of its port. */
static const char *sink_address_authority(const char *url, size_t *len)
{
    const char *begin = strstr(url, "://") + 3;

    *len = strcspn(begin, "/?#");
    return begin;
}

static bool sink_address_check_url(const struct sink_address *p, char *why)
{
    const char *problem, *authority;
    size_t len;

    if (strstr(p->url, "://") == NULL)
        return sink_address_fail(p, "expected unix:PATH, ADDRESS:PORT or a URL", why);
    authority = sink_address_authority(p->url, &len);
    if (memchr(authority, '@', len) != NULL) {
        snprintf(why, SINK_WHY_SIZE,
                 "--sink: user and password are not for here, see --sink-token");
        return false;
    }
    if ((problem = client_url_problem(p->url)) != NULL)
        return sink_address_fail(p, problem, why);
    if (strchr(p->url, '?') != NULL)
        return sink_address_fail(p, "expected a URL without a query", why);
    return true;
}

static bool sink_address_set_url(struct sink_address *p, char *why)
{
    char guess[200];
    size_t len;

    if (strstr(p->address, "://") == NULL && p->address[0] != '\0' &&
        (strchr(p->address, '/') != NULL || strchr(p->address, ':') == NULL)) {
        snprintf(guess, sizeof(guess),
                 "expected unix:PATH, ADDRESS:PORT or a URL; is it unix:%.100s?", p->shown);
        return sink_address_fail(p, guess, why);
    }
    if (asprintf(&p->url, "%s%s", strstr(p->address, "://") == NULL ? "http://" : "", p->address) <
        0) {
        p->url = NULL;
        return sink_address_fail(p, "out of memory", why);
    }
    if (!sink_address_check_url(p, why))
        return false;
    for (len = strlen(p->url); p->url[len - 1] == '/'; len--)
        p->url[len - 1] = '\0';
    return true;
}

/* ---- the token */

/* Who can read what is sent there sees it, and would be the administrator. */
static bool sink_address_allows_token(const struct sink_address *p, char *why)
{
    const char *authority;
    size_t len;

    authority = sink_address_authority(p->url, &len);
    if (strncasecmp(p->url, "https://", 8) == 0 || host_check_is_local(authority, len))
        return true;
    return sink_address_fail(
        p,
        "over plain http the token goes to this machine only (localhost, 127.0.0.1, "
        "[::1]), since everybody on the way could read it: use https://",
        why);
}

static bool sink_address_is_token(const char *text)
{
    const char *at = text;

    while (*at > ' ' && *at < 0x7f)
        at++;
    return at != text && *at == '\0';
}

static bool sink_address_write_header(struct sink_address *p, const char *token, char *why)
{
    static const char begin[] = "Authorization: Bearer ";
    size_t size = sizeof(begin) + strlen(token);

    if (!sink_address_is_token(token)) {
        snprintf(why, SINK_WHY_SIZE,
                 "--sink-token: expected one word of printable ASCII characters");
        return false;
    }
    if ((p->authorization = malloc(size)) == NULL) {
        snprintf(why, SINK_WHY_SIZE, "out of memory");
        return false;
    }
    snprintf(p->authorization, size, "%s%s", begin, token);
    p->headers[0] = p->authorization;
    return true;
}

static bool sink_address_set_token(struct sink_address *p, const struct option_secrets *token,
                                   char *why)
{
    static const char option[] = "--sink-token: ";
    char *text;
    bool good;

    if (token->count == 0 || p->unix_path != NULL)
        return true;
    if (!sink_address_allows_token(p, why))
        return false;
    memcpy(why, option, sizeof(option));
    text = secret_read(&token->items[token->count - 1], why + sizeof(option) - 1,
                       SINK_WHY_SIZE - sizeof(option) + 1);
    good = text != NULL && sink_address_write_header(p, text, why);
    secret_free(&text);
    return good;
}

/* ---- from outside */

static const char *sink_address_choose(const struct sink_options *options)
{
    const char *chosen = options->address != NULL ? options->address : getenv("HOOKLINE_SINK");

    return chosen == NULL || (chosen[0] == '\0' && options->address == NULL) ? SINK_DEFAULT_ADDRESS
                                                                             : chosen;
}

bool sink_address_open(struct sink_address *p, const struct sink_options *options,
                       char why[SINK_WHY_SIZE])
{
    bool is_unix;

    *p =
        (struct sink_address){.address = sink_address_choose(options), .ca_file = options->ca_file};
    text_copy_printable(p->shown, sizeof(p->shown), p->address, strlen(p->address));
    is_unix = strncmp(p->address, unix_begin, strlen(unix_begin)) == 0;
    if ((is_unix ? sink_address_set_unix(p, why) : sink_address_set_url(p, why)) &&
        sink_address_set_token(p, &options->token, why))
        return true;
    sink_address_close(p);
    return false;
}

void sink_address_close(struct sink_address *p)
{
    if (p->authorization != NULL)
        explicit_bzero(p->authorization, strlen(p->authorization));
    free(p->authorization);
    free(p->url);
    *p = (struct sink_address){.url = NULL};
}

/* ---- why nobody is there */

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

/* A call says no more than that it could not connect. */
static const char *sink_address_explain_unix(const char *path, const char *error)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return "that file is no socket";
    switch (sink_address_try_connect(path)) {
    case ENOENT:
    case ENOTDIR:
        return "no such file; is hooklined running, with this as its admin address?";
    case EACCES:
    case EPERM:
        return "no permission; the group of the socket may use it, its folder must let you in";
    case ECONNREFUSED:
        return "nobody listens there any more; hooklined has ended without a clean stop";
    default:
        return error;
    }
}

void sink_address_explain(const struct sink_address *p, const char *error, char *text, size_t size)
{
    if (p->unix_path != NULL)
        error = sink_address_explain_unix(p->unix_path, error);
    snprintf(text, size, "%s: %s", p->shown, error);
}
