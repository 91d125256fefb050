/* SPDX-License-Identifier: MIT */
#include "daemon/receive/arrival.h"

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/http/connection.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/receipt.h"
#include "daemon/policy/source.h"

void delivery_begin(struct delivery *d, h2o_req_t *req, const struct sources *sources,
                    struct receipts *receipts)
{
    size_t path_len = req->query_at == SIZE_MAX ? req->path.len : req->query_at;

    *d = (struct delivery){
        .source = sources_find_path(sources, req->path.base, path_len),
        .result = {.secret = -1, .signed_at = -1},
        .received_us = clock_wall_us(),
        .begun_us = clock_mono_us(),
    };
    receipt_make(receipts, d->receipt);
    connection_client_addr(req, &d->sender);
}
