/* SPDX-License-Identifier: MIT
 *
 * made_secret.h - a signing secret that the emulator makes once, and keeps in its folder of keys.
 */
#ifndef CLI_EMULATOR_MADE_SECRET_H
#define CLI_EMULATOR_MADE_SECRET_H

enum {
    KEYS_SECRET_WHY_SIZE = 512
};

/* What FOLDER/NAME.secret holds, which is made, with mode 0600, if it is not there. For
 * secret_free() of daemon/conf/secret.h; NULL, and in `why` what is wrong. */
char *keys_signing_secret(const char *folder, const char *name, char why[KEYS_SECRET_WHY_SIZE]);

#endif
