/* SPDX-License-Identifier: MIT */
#include "cli/emulator/sink_address.h"

#include <netinet/in.h>
#include <stdio.h>

#include "daemon/base/address.h"
#include "daemon/conf/config.h"

/* Where nobody in particular is named, the loopback is. */
static in_port_t playground_make_reachable(struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET) {
        if (v4->sin_addr.s_addr == htonl(INADDR_ANY))
            v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return v4->sin_port;
    }
    if (address->ss_family != AF_INET6)
        return 0;
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    return v6->sin6_port;
}

bool playground_sink_admin(const struct config *config, char text[PLAYGROUND_SINK_SIZE])
{
    const char *admin = config->admin.address;
    struct sockaddr_storage address;
    socklen_t len;

    if (admin == NULL || !address_read(admin, &address, &len))
        return false;
    if (address.ss_family == AF_UNIX) {
        snprintf(text, PLAYGROUND_SINK_SIZE, "%s", admin);
        return true;
    }
    if (playground_make_reachable(&address) == 0)
        return false;
    address_write(&address, text);
    return true;
}

/* A certificate hardly names the loopback, so an address without TLS is better; and behind a proxy
 * somebody else has to speak first. */
bool playground_sink_url(const struct config *config, char url[PLAYGROUND_SINK_SIZE])
{
    const struct config_listen *listen = config->listen, *end = listen + config->listen_count;
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_SIZE];
    bool found = false;
    socklen_t len;

    for (; listen < end; listen++) {
        if (listen->proxy_protocol || (found && listen->tls != NULL) ||
            !address_read(listen->address, &address, &len) ||
            playground_make_reachable(&address) == 0)
            continue;
        address_write(&address, text);
        snprintf(url, PLAYGROUND_SINK_SIZE, "http%s://%s", listen->tls != NULL ? "s" : "", text);
        found = true;
        if (listen->tls == NULL)
            break;
    }
    return found;
}
