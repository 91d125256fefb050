/* SPDX-License-Identifier: MIT */
#include "daemon/http/client_addr.h"

#include <h2o.h>

/* Reads the headers last to first, because the nearest proxy added the last one. */
static void client_addr_follow_proxies(const h2o_req_t *req, const struct proxies *proxies,
                                       struct network_host *host)
{
    for (size_t i = req->headers.size; i > 0; i--) {
        const h2o_header_t *header = &req->headers.entries[i - 1];

        if (header->name == &H2O_TOKEN_X_FORWARDED_FOR->buf &&
            !proxies_resolve_forwarded(proxies, header->value.base, header->value.len, host))
            return;
    }
}

void client_addr_find(h2o_req_t *req, const struct proxies *proxies, struct client_addr *sender)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    bool trusted;

    sender->host = (struct network_host){.family = 0};
    req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer);
    trusted = proxies != NULL && proxies_trust(proxies, &peer);
    if (trusted)
        client_addr_follow_proxies(req, proxies, &sender->host);
    if (sender->host.family != 0) {
        network_host_write(&sender->host, sender->text);
    } else {
        network_host_of(&peer, &sender->host);
        address_write(&peer, sender->text);
    }
    sender->is_proxy = trusted && proxies_trust_host(proxies, &sender->host);
}

bool client_addr_is_known(const struct client_addr *sender)
{
    return sender->host.family != 0 && !sender->is_proxy;
}
