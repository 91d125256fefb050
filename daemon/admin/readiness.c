/* SPDX-License-Identifier: MIT */
#include "daemon/admin/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/store/writer.h"

int64_t readiness_free_bytes(const char *path)
{
    struct statvfs disk;

    if (statvfs(path, &disk) != 0)
        return -1;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

static bool readiness_is_writable(const char *path, char *detail, size_t size)
{
    struct statvfs disk;

    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0 || statvfs(path, &disk) != 0) {
        snprintf(detail, size, "%s", strerror(errno));
        return false;
    }
    if ((disk.f_flag & ST_RDONLY) != 0) {
        snprintf(detail, size, "the disk is mounted read-only");
        return false;
    }
    return true;
}

void readiness_check(struct readiness *r, struct writer *writer, const char *path,
                     uint64_t free_bytes_min)
{
    int64_t free_bytes = readiness_free_bytes(path);
    struct writer_stats stats;

    writer_stats(writer, &stats);
    *r = (struct readiness){
        .writer_failed = !stats.healthy,
        .checks = {{.name = "journal", .good = stats.healthy},
                   {.name = "store"},
                   {.name = "disk",
                    .good = free_bytes >= 0 && (uint64_t)free_bytes >= free_bytes_min}},
    };
    if (!stats.healthy)
        snprintf(r->checks[0].detail, sizeof(r->checks[0].detail),
                 "the last transaction failed, see what hooklined said");
    r->checks[1].good =
        readiness_is_writable(path, r->checks[1].detail, sizeof(r->checks[1].detail));
    snprintf(r->checks[2].detail, sizeof(r->checks[2].detail),
             "%" PRId64 " bytes are free, expected %" PRIu64, free_bytes, free_bytes_min);
    r->ready = r->checks[0].good && r->checks[1].good && r->checks[2].good;
}
