/* SPDX-License-Identifier: MIT
 *
 * receipt.h - what an answer and its line have in common, so that who has seen the one finds the
 * other. At random: nobody who has one learns of another.
 *
 * Threads    Each has a struct receipts of its own; libsodium is initialised before.
 */
#ifndef DAEMON_RECEIVE_RECEIPT_H
#define DAEMON_RECEIVE_RECEIPT_H

#include <stddef.h>

enum {
    RECEIPT_BYTES = 8,
    RECEIPT_SIZE = 2 * RECEIPT_BYTES + 1, /* in lower-case hex, and a NUL */
    RECEIPTS_AT_ONCE = 128,
};

/* Randomness for the next ones: the kernel is not asked at each delivery. A zeroed struct has
 * none. */
struct receipts {
    unsigned char random[RECEIPTS_AT_ONCE * RECEIPT_BYTES];
    size_t left;
};

void receipt_make(struct receipts *receipts, char text[RECEIPT_SIZE]);

#endif
