/* SPDX-License-Identifier: MIT
 *
 * keys.h - API keys of the emulated providers: one for each documented refusal.
 *
 *   foil       good; unscoped (403: no webhooks:manage); foreign (403: of another organization)
 *   tripwire   good, of Foil's API under its former name
 *   shodai     good; unpaid (402); forbidden (403)
 *   trulayer   good (owner); member; viewer (403); free (403: the plan)
 *
 * Keys persist in the files of a folder.
 *
 * Ownership  keys_open() makes them; keys_close() wipes and frees them.
 * Threads    Immutable once opened.
 */
#ifndef CLI_EMULATOR_KEYS_H
#define CLI_EMULATOR_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* ---- signing secrets */

enum {
    KEYS_SECRET_WHY_SIZE = 512
};

/* Returns the secret in FOLDER/NAME.secret, made with mode 0600 if absent. Release it with
 * secret_free() of daemon/conf/secret.h. Returns NULL on failure, with the reason in `why`. */
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
    const char *name; /* file name: "foil", "foil.unscoped", ... */
    enum key_right right;
    char text[80];
};

struct keys;

enum {
    KEYS_WHY_SIZE = 256
};

/* Reads the keys, and makes absent ones: the folder with mode 0700, each file with 0600. Rejects
 * a file that others can read. Returns NULL on failure, with the reason in `why`. */
struct keys *keys_open(const char *folder, char why[KEYS_WHY_SIZE]);
void keys_close(struct keys **keys);

/* Compares in constant time. Returns NULL if the provider has no such key. */
const struct key *keys_find(const struct keys *keys, const char *provider, const char *text);

const struct key *keys_at(const struct keys *keys, size_t number); /* NULL past the end */

#endif
