/* SPDX-License-Identifier: MIT */
#include "daemon/http/conn_count.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <sodium.h>

#include "daemon/base/net.h"

enum {
    ROWS = 2,
    COUNTERS = 1 << 16, /* per row */
    V6_BITS = 64,
};

struct conn_count {
    unsigned char key[crypto_shorthash_KEYBYTES];
    _Atomic uint32_t rows[ROWS][COUNTERS];
};

struct conn_count *conn_count_new(void)
{
    struct conn_count *conn_count = calloc(1, sizeof(*conn_count));

    if (conn_count != NULL)
        randombytes_buf(conn_count->key, sizeof(conn_count->key));
    return conn_count;
}

void conn_count_free(struct conn_count **conn_count)
{
    free(*conn_count);
    *conn_count = NULL;
}

static void conn_count_find_slot(const struct conn_count *conn_count,
                                 const struct network_host *host, struct conn_count_slot *slot)
{
    struct network_host masked = *host;
    unsigned char hash[crypto_shorthash_BYTES];

    if (host->family == 6)
        network_host_mask(&masked, V6_BITS);
    crypto_shorthash(hash, (const unsigned char *)&masked, sizeof(masked), conn_count->key);
    for (size_t row = 0; row < ROWS; row++)
        slot->counter[row] = (uint32_t)hash[2 * row] << 8 | hash[2 * row + 1];
}

unsigned conn_count_add(struct conn_count *conn_count, const struct network_host *host,
                        struct conn_count_slot *slot)
{
    uint32_t least = UINT32_MAX;

    conn_count_find_slot(conn_count, host, slot);
    for (size_t row = 0; row < ROWS; row++) {
        uint32_t count = 1 + atomic_fetch_add_explicit(&conn_count->rows[row][slot->counter[row]],
                                                       1, memory_order_relaxed);

        if (count < least)
            least = count;
    }
    return least;
}

void conn_count_remove(struct conn_count *conn_count, const struct conn_count_slot *slot)
{
    for (size_t row = 0; row < ROWS; row++)
        atomic_fetch_sub_explicit(&conn_count->rows[row][slot->counter[row]], 1,
                                  memory_order_relaxed);
}
