/* SPDX-License-Identifier: MIT */
#include "cli/emulator/made_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf/config.h"
#include "daemon/conf/secret.h"
#include "daemon/base/ids.h"

/* One that is there stays. */
static bool keys_make_secret_file(const char *path)
{
    char line[IDS_SIZE + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len;
    bool good;

    if (fd < 0)
        return errno == EEXIST;
    ids_make_secret(line);
    len = strlen(line);
    line[len++] = '\n';
    good = write(fd, line, len) == (ssize_t)len;
    explicit_bzero(line, sizeof(line));
    return close(fd) == 0 && good;
}

char *keys_signing_secret(const char *folder, const char *name, char why[KEYS_SECRET_WHY_SIZE])
{
    struct config_secret where = {0};
    char *secret = NULL;

    if (asprintf(&where.file, "%s/%s.secret", folder, name) < 0)
        snprintf(why, KEYS_SECRET_WHY_SIZE, "out of memory");
    else if (!keys_make_secret_file(where.file))
        snprintf(why, KEYS_SECRET_WHY_SIZE, "%s: cannot be written: %s", where.file,
                 strerror(errno));
    else
        secret = secret_read(&where, why, KEYS_SECRET_WHY_SIZE);
    free(where.file);
    return secret;
}
