/* SPDX-License-Identifier: MIT */
#include "daemon/conf/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/conf/config.h"

enum {
    SECRET_FILE_MAX = 1024
};

static ssize_t secret_read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n;

    while (used < size && (n = read(fd, text + used, size - used)) != 0) {
        if (n > 0)
            used += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)used;
}

static void secret_strip_line_end(char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len > 0 && text[len - 1] == '\r')
        text[--len] = '\0';
}

/* Returns true for text in UTF-16, which some editors and PowerShell write. */
static bool secret_is_utf16(const char *text, size_t len)
{
    return len >= 2 && len % 2 == 0 &&
           (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
            (text[0] == '\0') != (text[1] == '\0'));
}

/* Removes the line end. Returns false if the text is not one line. */
static bool secret_text_is_line(char *text, size_t len)
{
    if (len > SECRET_FILE_MAX || memchr(text, '\0', len) != NULL)
        return false;
    text[len] = '\0';
    secret_strip_line_end(text, len);
    return strpbrk(text, "\r\n") == NULL;
}

static char *secret_read_fd(int fd, const char *path, char *why, size_t why_size)
{
    char *text = sodium_malloc(SECRET_FILE_MAX + 1);
    ssize_t len;

    if (text == NULL) {
        snprintf(why, why_size, "out of memory");
        return NULL;
    }
    len = secret_read_all(fd, text, SECRET_FILE_MAX + 1);
    if (len < 0)
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
    else if (secret_is_utf16(text, (size_t)len))
        snprintf(why, why_size, "%s: the text is UTF-16; try: iconv -f UTF-16 -t UTF-8", path);
    else if (!secret_text_is_line(text, (size_t)len))
        snprintf(why, why_size, "%s: expected one line of text of at most %d bytes", path,
                 SECRET_FILE_MAX);
    else
        return text;
    sodium_free(text);
    return NULL;
}

/* Names the way to close a file that others can read. A container's secrets are mounted read-only or
 * owned by root, so that chmod fails there. */
static void secret_mode_error(int fd, const struct stat *st, const char *path, char *why,
                              size_t why_size)
{
    static const char mounts[] =
        "for a mount: Kubernetes defaultMode: 0400 (with fsGroup unless it runs as root), Docker "
        "mode: 0400 and uid, systemd LoadCredential=";
    struct statvfs fs;
    int len = snprintf(why, why_size, "%s: mode %04o gives others access to the secret", path,
                       st->st_mode & 07777);

    if (len < 0 || (size_t)len >= why_size)
        return;
    why += len;
    why_size -= (size_t)len;
    if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0)
        snprintf(why, why_size, ", and chmod cannot change a read-only mount; %s", mounts);
    else if (st->st_uid != geteuid())
        snprintf(why, why_size,
                 ", and only its owner (uid %u) can change that; try: sudo chmod g-w,o-rwx %s; %s",
                 (unsigned)st->st_uid, path, mounts);
    else
        snprintf(why, why_size, "; try: chmod g-w,o-rwx %s", path);
}

/* Rejects files that other users can read or write, or that the group can write. */
static bool secret_file_is_private(int fd, const char *path, char *why, size_t why_size)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s: not a regular file", path);
        return false;
    }
    if ((st.st_mode & S_IRWXO) == 0 && (st.st_mode & S_IWGRP) == 0)
        return true;
    secret_mode_error(fd, &st, path, why, why_size);
    return false;
}

static char *secret_read_file(const char *path, char *why, size_t why_size)
{
    /* O_NONBLOCK, because open() of a FIFO would block. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *text = NULL;

    if (fd < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (secret_file_is_private(fd, path, why, why_size))
        text = secret_read_fd(fd, path, why, why_size);
    close(fd);
    return text;
}

static char *secret_read_credential(const char *name, char *why, size_t why_size)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];

    if (directory == NULL) {
        snprintf(why, why_size,
                 "credential %s: $CREDENTIALS_DIRECTORY is not set; the unit needs "
                 "LoadCredential=%s:PATH",
                 name, name);
        return NULL;
    }
    if (strchr(name, '/') != NULL || name[0] == '.') {
        snprintf(why, why_size, "credential %s: expected a name, not a path", name);
        return NULL;
    }
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path)) {
        snprintf(why, why_size, "credential %s: path too long", name);
        return NULL;
    }
    return secret_read_file(path, why, why_size);
}

static char *secret_read_variable(const char *name, char *why, size_t why_size)
{
    const char *value = getenv(name);
    size_t len = value == NULL ? 0 : strlen(value);
    char *text;

    if (value == NULL) {
        snprintf(why, why_size, "environment variable %s is not set", name);
        return NULL;
    }
    if (len > SECRET_FILE_MAX) {
        snprintf(why, why_size, "environment variable %s: expected at most %d bytes", name,
                 SECRET_FILE_MAX);
        return NULL;
    }
    if ((text = sodium_malloc(len + 1)) == NULL)
        snprintf(why, why_size, "out of memory");
    else
        memcpy(text, value, len + 1);
    return text;
}

bool secret_parse_location(struct config_secret *where, const char *text)
{
    static const char env[] = "env:", credential[] = "credential:";

    *where = (struct config_secret){.file = NULL};
    if (text[0] == '@' && text[1] != '\0')
        where->file = strdup(text + 1);
    else if (strncmp(text, env, sizeof(env) - 1) == 0 && text[sizeof(env) - 1] != '\0')
        where->env = strdup(text + sizeof(env) - 1);
    else if (strncmp(text, credential, sizeof(credential) - 1) == 0 &&
             text[sizeof(credential) - 1] != '\0')
        where->credential = strdup(text + sizeof(credential) - 1);
    return where->file != NULL || where->env != NULL || where->credential != NULL;
}

static bool secret_has_known_prefix(const char *name)
{
    return strncmp(name, "whsec_", 6) == 0 || strncmp(name, "whsk_", 5) == 0;
}

/* True if the location looks like the secret itself, which must not reach the journal. */
static bool secret_location_is_secret(const struct config_secret *where)
{
    if (where->file != NULL)
        return secret_has_known_prefix(where->file) && access(where->file, F_OK) != 0;
    if (where->env != NULL)
        return secret_has_known_prefix(where->env) && getenv(where->env) == NULL;
    return secret_has_known_prefix(where->credential);
}

char *secret_read(const struct config_secret *where, char *why, size_t why_size)
{
    if (secret_location_is_secret(where)) {
        snprintf(
            why, why_size,
            "found the secret instead of its location; write the secret to a file of mode 0600");
        return NULL;
    }
    if (sodium_init() < 0) {
        snprintf(why, why_size, "cannot initialise libsodium");
        return NULL;
    }
    if (where->file != NULL)
        return secret_read_file(where->file, why, why_size);
    if (where->env != NULL)
        return secret_read_variable(where->env, why, why_size);
    return secret_read_credential(where->credential, why, why_size);
}

void secret_free(char **secret)
{
    sodium_free(*secret);
    *secret = NULL;
}

bool secret_is_locked(const void *memory, size_t len)
{
    return mlock(memory, len) == 0;
}

/* ---- bearer token */

struct token {
    unsigned char key[crypto_generichash_KEYBYTES]; /* random */
    unsigned char hash[crypto_generichash_BYTES];
};

/* Hashes have one length, so that the comparison does not reveal the token's length. */
static void token_hash_text(const struct token *token, const char *text, size_t len,
                            unsigned char out[crypto_generichash_BYTES])
{
    crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)text, len, token->key,
                       sizeof(token->key));
}

/* Accepts printable ASCII without blanks, so that a header's value has clear ends. */
static bool token_text_is_usable(const char *text, char *why, size_t why_size)
{
    size_t len = strlen(text);

    if (len < TOKEN_LENGTH_MIN)
        snprintf(why, why_size,
                 "a token of %zu bytes can be guessed; use %d or more; try: openssl rand "
                 "-hex 32",
                 len, TOKEN_LENGTH_MIN);
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~') {
            snprintf(why, why_size,
                     "token with a blank or non-ASCII character; try: openssl rand -hex 32");
            return false;
        }
    return len >= TOKEN_LENGTH_MIN;
}

struct token *token_open(const struct config_secret *where, char *why, size_t why_size)
{
    char *text = secret_read(where, why, why_size);
    struct token *token = NULL;

    if (text == NULL)
        return NULL;
    if (token_text_is_usable(text, why, why_size)) {
        if ((token = sodium_malloc(sizeof(*token))) == NULL) {
            snprintf(why, why_size, "out of memory");
        } else {
            randombytes_buf(token->key, sizeof(token->key));
            token_hash_text(token, text, strlen(text), token->hash);
        }
    }
    secret_free(&text);
    return token;
}

struct token *token_copy(const struct token *token)
{
    struct token *copy = sodium_malloc(sizeof(*copy));

    if (copy != NULL)
        *copy = *token;
    return copy;
}

void token_replace(struct token *token, const struct token *other)
{
    *token = *other;
}

void token_free(struct token **token)
{
    sodium_free(*token);
    *token = NULL;
}

bool token_matches(const struct token *token, const char *authorization, size_t len)
{
    static const char scheme[] = "Bearer ";
    unsigned char shown[crypto_generichash_BYTES];
    size_t at = sizeof(scheme) - 1;

    if (len < at || strncasecmp(authorization, scheme, at) != 0)
        return false;
    while (at < len && authorization[at] == ' ')
        at++;
    token_hash_text(token, authorization + at, len - at, shown);
    return sodium_memcmp(shown, token->hash, sizeof(shown)) == 0;
}
