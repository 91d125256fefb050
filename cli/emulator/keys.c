/* SPDX-License-Identifier: MIT */
#include "cli/emulator/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/base/ids.h"
#include "daemon/conf/config.h"
#include "daemon/conf/secret.h"

/* Keeps an existing file. */
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
        snprintf(why, KEYS_SECRET_WHY_SIZE, "%s: cannot write: %s", where.file, strerror(errno));
    else
        secret = secret_read(&where, why, KEYS_SECRET_WHY_SIZE);
    free(where.file);
    return secret;
}

/* ---- keys */

static const struct key_kind {
    const char *provider, *name, *prefix;
    enum key_right right;
} key_kinds[] = {
    {"foil", "foil", "sk_test_", KEY_GOOD},
    {"foil", "foil.unscoped", "sk_test_", KEY_UNSCOPED},
    {"foil", "foil.foreign", "sk_test_", KEY_FOREIGN},
    {"foil", "tripwire", "sk_test_", KEY_GOOD},
    {"shodai", "shodai", "cns_pk_", KEY_GOOD},
    {"shodai", "shodai.unpaid", "cns_pk_", KEY_UNPAID},
    {"shodai", "shodai.forbidden", "cns_pk_", KEY_FORBIDDEN},
    {"trulayer", "trulayer", "tl_", KEY_GOOD},
    {"trulayer", "trulayer.member", "tl_", KEY_MEMBER},
    {"trulayer", "trulayer.viewer", "tl_", KEY_VIEWER},
    {"trulayer", "trulayer.free", "tl_", KEY_FREE},
};

enum {
    KEY_KINDS = sizeof(key_kinds) / sizeof(key_kinds[0])
};

struct keys {
    struct key key[KEY_KINDS];
};

static bool keys_fail(char *why, const char *folder, const char *name, const char *what)
{
    snprintf(why, KEYS_WHY_SIZE, "%s%s%s: %s", folder, name[0] == '\0' ? "" : "/", name, what);
    return false;
}

/* A key that others can read is not secret. */
static bool keys_fd_is_private(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) == 0;
}

/* Ignores one trailing newline, which editors add. Returns false for an invalid key. */
static bool key_read(int fd, struct key *key)
{
    ssize_t len = read(fd, key->text, sizeof(key->text));

    if (len > 0 && key->text[len - 1] == '\n')
        len--;
    if (len <= 0 || len == sizeof(key->text))
        return false;
    key->text[len] = '\0';
    for (ssize_t i = 0; i < len; i++)
        if (key->text[i] <= ' ' || key->text[i] > '~')
            return false;
    return true;
}

static bool key_write(int fd, const struct key *key)
{
    char line[sizeof(key->text) + 1];
    int len = snprintf(line, sizeof(line), "%s\n", key->text);
    bool good = write(fd, line, (size_t)len) == len;

    sodium_memzero(line, sizeof(line));
    return good;
}

static bool key_write_file(int folder, const char *name, const struct key *key)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && key_write(fd, key);

    return fd >= 0 && close(fd) == 0 && good;
}

/* Writes a temporary file and links it, so that the key file is complete or absent. If another
 * emulator was faster, its key wins. */
static bool key_make(int folder, const struct key_kind *kind, struct key *key)
{
    char text[IDS_SIZE], temporary[64];
    bool good;
    int error;

    ids_make_hex(text, kind->prefix);
    snprintf(key->text, sizeof(key->text), "%.*s", (int)sizeof(key->text) - 1, text);
    sodium_memzero(text, sizeof(text));
    snprintf(temporary, sizeof(temporary), ".%s.%ld", kind->name, (long)getpid());
    unlinkat(folder, temporary, 0);
    good = key_write_file(folder, temporary, key) &&
           (linkat(folder, temporary, folder, kind->name, 0) == 0 || errno == EEXIST);
    error = errno;
    unlinkat(folder, temporary, 0);
    errno = error;
    return good;
}

static int key_open_file(int folder, const struct key_kind *kind)
{
    return openat(folder, kind->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool key_open_or_make(const char *path, int folder, const struct key_kind *kind,
                             struct key *key, char *why)
{
    int fd = key_open_file(folder, kind);
    bool good;

    key->provider = kind->provider;
    key->name = kind->name;
    key->right = kind->right;
    if (fd < 0 && errno == ENOENT && key_make(folder, kind, key))
        fd = key_open_file(folder, kind);
    if (fd < 0)
        return keys_fail(why, path, kind->name, strerror(errno));
    if (!keys_fd_is_private(fd))
        good = keys_fail(why, path, kind->name, "others can read it: run chmod 600 on it");
    else
        good = key_read(fd, key) ||
               keys_fail(why, path, kind->name,
                         "expected one line with a key; delete the file to get a new one");
    close(fd);
    return good;
}

struct keys *keys_open(const char *path, char why[KEYS_WHY_SIZE])
{
    struct keys *keys = calloc(1, sizeof(*keys));
    int folder;

    if (keys == NULL) {
        keys_fail(why, path, "", "out of memory");
        return NULL;
    }
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
        (folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        keys_fail(why, path, "", strerror(errno));
        free(keys);
        return NULL;
    }
    for (size_t i = 0; keys != NULL && i < KEY_KINDS; i++)
        if (!key_open_or_make(path, folder, &key_kinds[i], &keys->key[i], why))
            keys_close(&keys);
    close(folder);
    return keys;
}

void keys_close(struct keys **keys)
{
    if (*keys != NULL)
        sodium_memzero(*keys, sizeof(**keys));
    free(*keys);
    *keys = NULL;
}

static bool key_is_equal(const char *a, const char *b)
{
    size_t len = strlen(a);

    return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

const struct key *keys_find(const struct keys *keys, const char *provider, const char *text)
{
    const struct key *found = NULL;

    for (size_t i = 0; i < KEY_KINDS; i++)
        if (strcmp(keys->key[i].provider, provider) == 0 && key_is_equal(keys->key[i].text, text))
            found = &keys->key[i];
    return found;
}

const struct key *keys_at(const struct keys *keys, size_t number)
{
    return number < KEY_KINDS ? &keys->key[number] : NULL;
}
