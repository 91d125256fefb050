/* SPDX-License-Identifier: MIT
 *
 * number.h - parser of decimal whole numbers, with messages for other notations. Pure.
 */
#ifndef DAEMON_CONF_NUMBER_H
#define DAEMON_CONF_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf/table.h"

enum {
    CONFIG_WORD_SIZE = 48
};

/* Writes the text if it is short and printable, else its length, because a long text may be a
 * secret. */
void config_word(const char *text, size_t len, char word[CONFIG_WORD_SIZE]);

/* Reads a number within the row's range. Returns false with "FOUND; type EXPECTED" in `why`. */
bool config_number_read(const struct config_row *row, const char *text, size_t len,
                        uint64_t *number, char *why, size_t size);

/* Writes "a whole number of seconds from 1 to 86400". */
void config_number_expected(const struct config_row *row, char *out, size_t size);

#endif
