/* SPDX-License-Identifier: MIT
 *
 * secrets.h - signature scheme and its secrets, from the command line or from hooklined's
 * configuration; verifies and signs by them.
 *
 * Ownership  secrets_open() makes it; secrets_close() wipes the secrets.
 */
#ifndef CLI_SECRETS_H
#define CLI_SECRETS_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"

/* ---- signing. Pure. */

enum {
    SECRETS_SIGN_WHY_SIZE = 256
};

struct signing_input {
    const hookline_verifier *verifier;
    const char *description;  /* of the verifier's scheme */
    hookline_request request; /* method, URL and headers: needed only if the scheme signs them */
    hookline_bytes id;
    int64_t now; /* time to sign, seconds since 1970 */
};

/* Calls hookline_sign(). Returns false, with the reason as a sentence in `why`, on error. */
bool secrets_sign(const struct signing_input *input, hookline_signature *out,
                  char why[SECRETS_SIGN_WHY_SIZE]);

/* ---- scheme and secrets */

/* Exactly one of `scheme`, `description` and `config` is set. */
struct secrets_options {
    const char *scheme;            /* name of a built-in scheme */
    const char *description;       /* file with the description of a scheme */
    const char *config, *source;   /* hooklined.yaml and a source in it, with its secrets */
    struct option_secrets secrets; /* the first one signs */
    int64_t tolerance;             /* seconds; -1: the source's, else the scheme's */
    const char *method, *url;      /* for schemes that sign them */
};

/* Rows for the struct secrets_options `member` of the command's `type`. */
#define SECRETS_OPTIONS(type, member)                                                              \
    TEXT(0, "scheme", type, member.scheme, "NAME",                                                 \
         "use this signature scheme, see `hookline schemes`"),                                     \
        TEXT(0, "description", type, member.description, "FILE",                                   \
             "use the scheme that FILE describes, see\nhookline-schemes(7)"),                      \
        SECRET('s', "secret", type, member.secrets, "WHERE",                                       \
               "read the signing secret from @FILE, env:VARIABLE or\ncredential:NAME; "            \
               "repeatable, for a rotation"),                                                      \
        TEXT('c', "config", type, member.config, "FILE",                                           \
             "take scheme and secrets from this hooklined.yaml"),                                  \
        TEXT(0, "source", type, member.source, "NAME",                                             \
             "with --config: use this source; default: the only one"),                             \
        TEXT(0, "url", type, member.url, "URL",                                                    \
             "use URL in the signature, for schemes that sign it"),                                \
        TEXT(0, "method", type, member.method, "METHOD", "set the request method; default: POST")

enum {
    SECRETS_WHY_SIZE = 512
};

struct secrets {
    const char *name;        /* scheme's name, or "custom" */
    const char *description; /* scheme's description, hookline-schemes(7) */
    char **secrets;          /* in locked memory */
    size_t secrets_count;
    hookline_verifier *verifier; /* has all secrets */
    const char *method, *url;    /* NULL: not given; `url` may come from the source */
    const char *source;          /* source name; NULL without a configuration */
    struct config *config;       /* with all sources; NULL without a configuration */
    char *text;                  /* contents of the description file; may be NULL */
};

/* Returns NULL, with the reason in `why`, on error; the outcome is OUTCOME_USAGE then. */
struct secrets *secrets_open(const struct secrets_options *options, char why[SECRETS_WHY_SIZE]);
void secrets_close(struct secrets **secrets);

/* Returns the contents of a description file, for free(); NULL, with the reason in `why`, on
 * error. */
char *secrets_read_description(const char *file, char why[SECRETS_WHY_SIZE]);

#endif
