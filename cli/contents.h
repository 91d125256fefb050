/* SPDX-License-Identifier: MIT
 *
 * contents.h - the bytes of a file, or of the standard input.
 *
 * Ownership  file_contents_read() makes them; file_contents_free() releases them.
 */
#ifndef CLI_CONTENTS_H
#define CLI_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    FILE_CONTENTS_MAX = 64 << 20, /* bytes */
    FILE_CONTENTS_WHY_SIZE = 256
};

struct file_contents {
    char *base; /* with a NUL behind it, which `len` does not count */
    size_t len;
};

/* `file` is a path, which may be that of a pipe, or "-" for the standard input, which can be read
 * once. False, and in `why` "FILE: what is wrong". One thread. */
bool file_contents_read(struct file_contents *contents, const char *file,
                        char why[FILE_CONTENTS_WHY_SIZE]);
void file_contents_free(struct file_contents *contents);

/* The file's name for messages. */
const char *file_contents_name(const char *file);

#endif
