/* SPDX-License-Identifier: MIT */
#include "daemon/receive/receipt.h"

#include <sodium.h>

void receipt_make(struct receipts *r, char text[RECEIPT_SIZE])
{
    if (r->left == 0) {
        randombytes_buf(r->random, sizeof(r->random));
        r->left = sizeof(r->random);
    }
    r->left -= RECEIPT_BYTES;
    sodium_bin2hex(text, RECEIPT_SIZE, r->random + r->left, RECEIPT_BYTES);
}
