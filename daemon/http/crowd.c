/* SPDX-License-Identifier: MIT */
#include "daemon/http/crowd.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <sodium.h>

#include "daemon/base/network.h"

enum {
    ROWS = 2,
    COUNTERS = 1 << 16, /* of a row */
    V6_BITS = 64,
};

struct crowd {
    unsigned char key[crypto_shorthash_KEYBYTES];
    _Atomic uint32_t rows[ROWS][COUNTERS];
};

struct crowd *crowd_new(void)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    if (crowd != NULL)
        randombytes_buf(crowd->key, sizeof(crowd->key));
    return crowd;
}

void crowd_free(struct crowd **crowd)
{
    free(*crowd);
    *crowd = NULL;
}

static void find_place(const struct crowd *crowd, const struct network_host *host,
                       struct crowd_place *place)
{
    struct network_host masked = *host;
    unsigned char hash[crypto_shorthash_BYTES];

    if (host->family == 6)
        network_host_mask(&masked, V6_BITS);
    crypto_shorthash(hash, (const unsigned char *)&masked, sizeof(masked), crowd->key);
    for (size_t row = 0; row < ROWS; row++)
        place->counter[row] = (uint32_t)hash[2 * row] << 8 | hash[2 * row + 1];
}

unsigned crowd_enter(struct crowd *crowd, const struct network_host *host,
                     struct crowd_place *place)
{
    uint32_t least = UINT32_MAX;

    find_place(crowd, host, place);
    for (size_t row = 0; row < ROWS; row++) {
        uint32_t count = 1 + atomic_fetch_add_explicit(&crowd->rows[row][place->counter[row]], 1,
                                                       memory_order_relaxed);

        if (count < least)
            least = count;
    }
    return least;
}

void crowd_leave(struct crowd *crowd, const struct crowd_place *place)
{
    for (size_t row = 0; row < ROWS; row++)
        atomic_fetch_sub_explicit(&crowd->rows[row][place->counter[row]], 1, memory_order_relaxed);
}
