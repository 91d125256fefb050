/* SPDX-License-Identifier: MIT
 *
 * keys.h - the API keys that the emulated providers know, each with what it may do, so that every
 * refusal which the providers document can be had.
 *
 *   foil       good; unscoped (403: no webhooks:manage); foreign (403: of another organization)
 *   shodai     good; unpaid (402); forbidden (403)
 *   trulayer   good (owner); member; viewer (403); free (403: the plan)
 *
 * They stay the same as long as the folder's files are there.
 *
 * Ownership  keys_open() makes them, keys_close() wipes and releases them.
 * Threads    Immutable once opened.
 */
#ifndef CLI_EMULATOR_KEYS_H
#define CLI_EMULATOR_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* ---- a signing secret that the emulator makes once, and keeps in its folder of keys. */

enum {
    KEYS_SECRET_WHY_SIZE = 512
};

/* What FOLDER/NAME.secret holds, which is made, with mode 0600, if it is not there. For
 * secret_free() of daemon/conf/secret.h; NULL, and in `why` what is wrong. */
char *keys_signing_secret(const char *folder, const char *name, char why[KEYS_SECRET_WHY_SIZE]);

enum key_right {
    KEY_GOOD,
    KEY_MEMBER,
    KEY_UNSCOPED,
    KEY_FOREIGN,
    KEY_UNPAID,
    KEY_FORBIDDEN,
    KEY_VIEWER,
    KEY_FREE,
};

struct key {
    const char *provider;
    const char *name; /* the file in the folder of keys: "foil", "foil.unscoped", ... */
    enum key_right right;
    char text[80];
};

struct keys;

enum {
    KEYS_WHY_SIZE = 256
};

/* Reads the folder's keys, and makes those that are missing: the folder has mode 0700 then and each
 * file 0600. A file that others can read is refused. NULL, and in `why` what is wrong. */
struct keys *keys_open(const char *folder, char why[KEYS_WHY_SIZE]);
void keys_close(struct keys **keys);

/* Compared in constant time; NULL if there is no such key of this provider. */
const struct key *keys_find(const struct keys *keys, const char *provider, const char *text);

const struct key *keys_at(const struct keys *keys, size_t number); /* NULL behind the last */

#endif
