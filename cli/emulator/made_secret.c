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
#include "daemon/base/identity.h"

/* One that is there stays. */
static bool make(const char *path)
{
    char line[IDENTITY_SIZE + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len;
    bool good;

    if (fd < 0)
        return errno == EEXIST;
    identity_secret(line);
    len = strlen(line);
    line[len++] = '\n';
    good = write(fd, line, len) == (ssize_t)len;
    explicit_bzero(line, sizeof(line));
    return close(fd) == 0 && good;
}

char *made_secret(const char *folder, const char *name, char why[MADE_SECRET_WHY_SIZE])
{
    struct config_secret where = {0};
    char *secret = NULL;

    if (asprintf(&where.file, "%s/%s.secret", folder, name) < 0)
        snprintf(why, MADE_SECRET_WHY_SIZE, "out of memory");
    else if (!make(where.file))
        snprintf(why, MADE_SECRET_WHY_SIZE, "%s: cannot be written: %s", where.file,
                 strerror(errno));
    else
        secret = secret_read(&where, why, MADE_SECRET_WHY_SIZE);
    free(where.file);
    return secret;
}
