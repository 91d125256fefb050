/* SPDX-License-Identifier: MIT
 *
 * secrets.h - by what a delivery is verified or signed: a scheme and its secrets, from the command
 * line or out of hooklined's own configuration.
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

/* ---- hookline_sign(), and a sentence why if it cannot. Pure. */

enum {
    SECRETS_SIGN_WHY_SIZE = 256
};

/* What goes in: `description` is that of the verifier's scheme. Where the scheme signs no method,
 * URL or headers they may be left out. */
struct signing_input {
    const hookline_verifier *verifier;
    const char *description;
    hookline_request request;
    hookline_bytes id;
    int64_t now;
};

/* False, and in `why` what is missing. */
bool secrets_sign(const struct signing_input *input, hookline_signature *out,
                  char why[SECRETS_SIGN_WHY_SIZE]);

struct secrets_options {
    const char *scheme;            /* a name ... */
    const char *description;       /* ... or a file that holds a description ... */
    const char *config, *source;   /* ... or a source of hooklined.yaml, with its secrets */
    struct option_secrets secrets; /* the first one signs */
    int64_t tolerance;             /* seconds; -1: the scheme's */
    const char *method, *url;      /* where the scheme signs them */
};

/* Rows for the struct secrets_options `member` of the command's `type`. */
#define SECRETS_OPTIONS(type, member)                                                              \
    TEXT(0, "scheme", type, member.scheme, "NAME",                                                 \
         "how it is signed; `hookline schemes` lists the names"),                                  \
        TEXT(0, "description", type, member.description, "FILE",                                   \
             "a scheme of your own, see hookline-schemes(7)"),                                     \
        SECRET('s', "secret", type, member.secrets, "WHERE",                                       \
               "@FILE, env:VARIABLE or credential:NAME; more than one\nwhile secrets rotate"),     \
        TEXT('c', "config", type, member.config, "FILE",                                           \
             "take scheme and secrets from this hooklined.yaml ..."),                              \
        TEXT(0, "source", type, member.source, "NAME",                                             \
             "... and this source of it; default: its only one"),                                  \
        TEXT(0, "url", type, member.url, "URL",                                                    \
             "the URL that the sender signs, where the scheme signs it"),                          \
        TEXT(0, "method", type, member.method, "METHOD", "likewise; default: POST")

enum {
    SECRETS_WHY_SIZE = 512
};

struct secrets {
    const char *name;        /* of the scheme, or "custom" */
    const char *description; /* in the language of hookline-schemes(7) */
    char **secrets;          /* in locked memory */
    size_t secrets_count;
    hookline_verifier *verifier; /* with all of them */
    const char *method, *url;    /* NULL: not given; the url may be that of the source */
    const char *source;          /* its name; NULL without a configuration */
    struct config *config;       /* likewise; the other sources are in it, too */
    char *text;                  /* of the description's file */
};

/* NULL, and in `why` what is wrong and what to do: the outcome is OUTCOME_USAGE. */
struct secrets *secrets_open(const struct secrets_options *options, char why[SECRETS_WHY_SIZE]);
void secrets_close(struct secrets **secrets);

/* The text of a description's file, for free(). NULL, and in `why` what is wrong. */
char *secrets_read_description(const char *file, char why[SECRETS_WHY_SIZE]);

#endif
