/* SPDX-License-Identifier: MIT
 *
 * plain_text.h - what others say as part of one line of ours: printable, of limited length, and
 * without what must not be repeated. Pure.
 */
#ifndef DAEMON_BASE_PLAIN_TEXT_H
#define DAEMON_BASE_PLAIN_TEXT_H

#include <stddef.h>

enum {
    TEXT_REDACTED_MAX = 512
};

/* Copies what fits into `out`, whose `size` is from 16 to TEXT_REDACTED_MAX, with "..." for what does
 * not. White space becomes a blank, and other odd characters what printable.h writes for them.
 * Where `hidden`, which may be NULL or empty, occurs "(hidden)" is written. */
void text_copy_redacted(char *out, size_t size, const char *bytes, size_t len, const char *hidden);

#endif
