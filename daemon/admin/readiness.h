/* SPDX-License-Identifier: MIT
 *
 * readiness.h - whether a delivery that came now could be stored, and if not, why.
 *
 * Threads    One.
 */
#ifndef DAEMON_ADMIN_READINESS_H
#define DAEMON_ADMIN_READINESS_H

#include <stdbool.h>
#include <stdint.h>

struct writer;

enum {
    READINESS_CHECKS = 3
};

struct readiness {
    bool ready;
    bool writer_failed; /* the last transaction; nobody will know better until the next one */
    struct {
        const char *name;
        bool good;
        char detail[160];
    } checks[READINESS_CHECKS];
};

/* `path` is that of the store. */
void readiness_check(struct readiness *readiness, struct writer *writer, const char *path,
                     uint64_t free_bytes_min);

/* Of the disk that the store is on; -1 if nobody knows. */
int64_t readiness_free_bytes(const char *path);

#endif
