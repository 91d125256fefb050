/* SPDX-License-Identifier: MIT
 *
 * provider.h - what a provider's answer means: did it do what it was asked for, and what
 * does it say about the delivery. Takes whatever comes: HTML, broken JSON, ids that are none. Pure.
 */
#ifndef CLI_PING_PROVIDER_H
#define CLI_PING_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

/* ---- the providers whose test API `hookline ping` triggers: where it is, which ids it
 * takes, how the key is shown to it. Pure. */

enum provider_kind {
    PROVIDER_FOIL,
    PROVIDER_SHODAI,
    PROVIDER_TRULAYER,
    PROVIDER_EMULATED, /* any source of `hookline emulate`, by the emulator's own API */
};

struct provider {
    enum provider_kind kind;
    const char *name;  /* as the user writes it */
    const char *title; /* as it calls itself */
    const char *base_url;
    const char *key_variable; /* of the environment, unless the user names another place; NULL: it
                                 asks for no key */
    const char *key_header;   /* what stands in front of the key */
    const char *scheme;       /* NULL: that of the source's name */
    bool at_once;             /* it answers after it has tried to deliver */
    bool remembers;           /* it can be asked for what became of a delivery */
};

/* NULL if there is none of that name. */
const struct provider *provider_find(const char *name);

/* Whom the user may name, for messages. */
#define PROVIDER_NAMES "foil, shodai, trulayer or emulated"

enum {
    PROVIDER_WHY_SIZE = 256,
    PROVIDER_URL_SIZE = 1024
};

/* `organization` is NULL if it was not given; of `emulated` the endpoint is the source's name.
 * False, and in `why` which of them is not as it should be: nothing is sent then. */
bool provider_check_ids(const struct provider *provider, const char *organization,
                        const char *endpoint, char why[PROVIDER_WHY_SIZE]);

/* A key goes into a header. NULL, or what is wrong with it. */
const char *provider_key_problem(const char *key);

/* NULL, or what is wrong with it. */
const char *provider_base_problem(const char *base_url);

/* The URL that is POSTed to, from ids that were checked. False if it does not fit. */
bool provider_test_url(const struct provider *provider, const char *base_url,
                       const char *organization, const char *endpoint, char url[PROVIDER_URL_SIZE]);

/* The URL that tells what became of an event, of a provider that remembers. */
bool provider_event_url(const struct provider *provider, const char *base_url,
                        const char *organization, const char *event_id,
                        char url[PROVIDER_URL_SIZE]);

bool provider_status_is_2xx(int status);

enum {
    PROVIDER_ID_SIZE = 130,
    PROVIDER_TEXT_SIZE = 240,
    PROVIDER_RECEIPT_SIZE = 17,
};

enum provider_state {
    PROVIDER_UNKNOWN,
    PROVIDER_PENDING, /* it has not tried yet, or is about to */
    PROVIDER_RETRYING,
    PROVIDER_DELIVERED, /* somebody answered with 2xx */
    PROVIDER_FAILED,
    PROVIDER_SKIPPED, /* it did not try, since the endpoint is disabled */
};

/* What it says about the delivery. Texts are plain. */
struct provider_view {
    enum provider_state state;
    char word[32]; /* its own for the state; "" if it has none */
    int status;    /* it got from the receiver; 0: none, -1: it does not say */
    int attempts;  /* -1: it does not say */
    char receipt[PROVIDER_RECEIPT_SIZE]; /* of the answer that it got; "" if it has none of ours */
    char error[PROVIDER_TEXT_SIZE];
    char body[PROVIDER_TEXT_SIZE]; /* the beginning of the answer that it got */
};

enum provider_answer_kind {
    PROVIDER_TRIGGERED,
    PROVIDER_REFUSED, /* by a 4xx */
    PROVIDER_ODD,     /* a 5xx, or not what the provider promises */
};

struct provider_answer {
    enum provider_answer_kind kind;
    int status;
    char event_id[PROVIDER_ID_SIZE], delivery_id[PROVIDER_ID_SIZE];
    char said[PROVIDER_TEXT_SIZE]; /* of a refusal: its words; of an odd one: what is odd */
    struct provider_view view;
};

struct provider_bytes {
    int status;
    const char *bytes;
    size_t len;
    bool cut;        /* it was longer than what is read */
    const char *key; /* not to be repeated; may be NULL */
};

void provider_answer_read(const struct provider *provider, const struct provider_bytes *bytes,
                          struct provider_answer *answer);

/* What is said about the event, by a provider that remembers, as far as it is about the endpoint.
 * False, and in view->error why nothing can be learnt from it. */
bool provider_answer_read_event(const struct provider_bytes *bytes, const char *endpoint,
                                struct provider_view *view);

#endif
