/* SPDX-License-Identifier: MIT */
#include "daemon/http/host_check.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool host_check_is_port(const char *text)
{
    return text[0] == '\0' ||
           (text[0] == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

bool host_check_is_local(const char *host, size_t len)
{
    static const char v6[] = "[::1]", name[] = "localhost";
    char copy[64];
    struct in_addr v4;
    size_t end;

    if (len == 0 || len >= sizeof(copy) || memchr(host, '\0', len) != NULL)
        return false;
    memcpy(copy, host, len);
    copy[len] = '\0';
    if (strncmp(copy, v6, sizeof(v6) - 1) == 0)
        return host_check_is_port(copy + sizeof(v6) - 1);
    end = strcspn(copy, ":");
    if (!host_check_is_port(copy + end))
        return false;
    copy[end] = '\0';
    return strcasecmp(copy, name) == 0 ||
           (inet_pton(AF_INET, copy, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET);
}

bool host_check_is_same_origin(const char *origin, size_t origin_len, const char *host, size_t len)
{
    static const char scheme[] = "http://";
    const size_t scheme_len = sizeof(scheme) - 1;

    return origin_len == scheme_len + len && strncasecmp(origin, scheme, scheme_len) == 0 &&
           strncasecmp(origin + scheme_len, host, len) == 0;
}
