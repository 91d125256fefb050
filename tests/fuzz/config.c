/* SPDX-License-Identifier: MIT
 *
 * Fuzzes config_file_read(): any file is accepted whole or rejected with a message.
 */
#include <glob.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "tests/fuzz/fuzz.h"

/* Replaces glob(), so that no pattern reads the machine's files. */
int __wrap_glob(const char *pattern, int flags, int (*failed)(const char *path, int error),
                glob_t *found);
int __wrap_glob(const char *pattern, int flags, int (*failed)(const char *path, int error),
                glob_t *found)
{
    (void)pattern, (void)flags, (void)failed;
    *found = (glob_t){0};
    return GLOB_NOMATCH;
}

static void check_config(const struct config *c)
{
    fuzz_check((c->sources_count > 0 && c->sources != NULL) || c->include != NULL);
    fuzz_check(c->listen_count > 0 && c->listen[0].address != NULL);
    fuzz_check(c->threads > 0 && c->threads <= 256);
    fuzz_check(c->limits.body_bytes > 0 && c->limits.body_bytes <= 1 << 30);
    fuzz_check(c->limits.connections > 0);
    fuzz_check(c->limits.idle_seconds >= 1 && c->limits.idle_seconds <= 86400);
    fuzz_check(c->store.keep_days >= 1 && c->store.queue_bytes >= 1);
    for (unsigned i = 0; i < c->destinations_count; i++)
        fuzz_check(c->destinations[i].concurrency >= 1 && c->destinations[i].concurrency <= 256);
    fuzz_check(c->log.body == 0 || c->log.body == 1);
    fuzz_check(c->admin.token == NULL || c->admin.address != NULL);
    for (unsigned i = 0; i < c->sources_count; i++) {
        const struct config_source *s = &c->sources[i];

        fuzz_check(s->name != NULL && s->name[0] != '\0');
        fuzz_check(s->path != NULL && s->path[0] == '/');
        fuzz_check((s->scheme == NULL) != (s->description == NULL));
        fuzz_check(s->secrets_count >= 1 && s->secrets_count <= 8);
        for (unsigned j = 0; j < s->secrets_count; j++)
            fuzz_check((s->secrets[j].file != NULL) + (s->secrets[j].env != NULL) +
                           (s->secrets[j].credential != NULL) ==
                       1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    char why[CONFIG_WHY_SIZE] = "";
    struct config *c;

    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        fuzz_check(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    fuzz_check(ftruncate(fd, 0) == 0);
    fuzz_check(pwrite(fd, data, size, 0) == (ssize_t)size);
    c = config_file_read(path, why);
    if (c == NULL) {
        fuzz_check(memchr(why, '\0', sizeof(why)) != NULL);
        fuzz_check(strncmp(why, path, strlen(path)) == 0 && why[strlen(path)] == ':');
        return 0;
    }
    check_config(c);
    config_free(&c);
    fuzz_check(c == NULL);
    return 0;
}
