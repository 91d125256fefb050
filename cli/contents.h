/* SPDX-License-Identifier: MIT
 *
 * contents.h - the bytes of a file, or of the standard input.
 *
 * Ownership  contents_read() makes them; contents_free() releases them.
 */
#ifndef CLI_CONTENTS_H
#define CLI_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CONTENTS_MAX = 64 << 20, /* bytes */
    CONTENTS_WHY_SIZE = 256
};

struct contents {
    char *base; /* with a NUL behind it, which `len` does not count */
    size_t len;
};

/* `file` is a path, which may be that of a pipe, or "-" for the standard input, which can be read
 * once. False, and in `why` "FILE: what is wrong". One thread. */
bool contents_read(struct contents *contents, const char *file, char why[CONTENTS_WHY_SIZE]);
void contents_free(struct contents *contents);

/* The file's name for messages. */
const char *contents_name(const char *file);

#endif
