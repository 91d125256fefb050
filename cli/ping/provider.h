/* SPDX-License-Identifier: MIT
 *
 * provider.h - the providers that `hookline ping` can trigger: their test APIs, ids and keys, and
 * the meaning of their answers. Accepts any bytes as an answer: HTML, broken JSON, invalid ids.
 * Pure.
 */
#ifndef CLI_PING_PROVIDER_H
#define CLI_PING_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

/* ---- test APIs */

enum provider_kind {
    PROVIDER_FOIL, /* and Tripwire, its former name */
    PROVIDER_SHODAI,
    PROVIDER_TRULAYER,
    PROVIDER_EMULATED, /* any source of `hookline emulate`, by the emulator's own API */
};

struct provider {
    enum provider_kind kind;
    const char *name;  /* on the command line */
    const char *title; /* in messages */
    const char *base_url;
    const char *key_variables[2]; /* environment variables that hold the key by default: the first
                                     one that is not empty; NULLs: needs no key */
    const char *key_header;       /* header line up to the key */
    const char *scheme;           /* NULL: named like the source */
    bool at_once;                 /* answers after the delivery attempt */
    bool remembers;               /* reports a delivery's fate on request */
};

/* Returns NULL for an unknown name. */
const struct provider *provider_find(const char *name);

/* for messages */
#define PROVIDER_NAMES "foil, tripwire, shodai, trulayer or emulated"

enum {
    PROVIDER_WHY_SIZE = 256,
    PROVIDER_URL_SIZE = 1024
};

/* Checks the ids before anything is sent. `organization` is NULL if not given; for `emulated`
 * the endpoint is the source's name. On failure returns false, with the reason in `why`. */
bool provider_check_ids(const struct provider *provider, const char *organization,
                        const char *endpoint, char why[PROVIDER_WHY_SIZE]);

/* Returns why the key cannot go into a header, or NULL. */
const char *provider_key_problem(const char *key);

/* Returns what is wrong with the URL, or NULL. */
const char *provider_base_problem(const char *base_url);

/* Writes the URL to POST to, from checked ids. Returns false if it is too long. */
bool provider_test_url(const struct provider *provider, const char *base_url,
                       const char *organization, const char *endpoint, char url[PROVIDER_URL_SIZE]);

/* Writes the URL that reports an event's deliveries. Returns false if the provider offers none
 * or the URL is too long. */
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
    PROVIDER_PENDING, /* before the first attempt, or during one */
    PROVIDER_RETRYING,
    PROVIDER_DELIVERED, /* the receiver answered 2xx */
    PROVIDER_FAILED,
    PROVIDER_SKIPPED, /* not attempted: the endpoint is disabled */
};

/* The provider's report about a delivery. Texts are printable. */
struct provider_view {
    enum provider_state state;
    char word[32]; /* provider's word for the state, or "" */
    int status;    /* that the receiver answered; 0: no answer, -1: not reported */
    int attempts;  /* -1: not reported */
    char receipt[PROVIDER_RECEIPT_SIZE]; /* in that answer; "" if it is not hooklined's */
    char error[PROVIDER_TEXT_SIZE];
    char body[PROVIDER_TEXT_SIZE]; /* beginning of that answer */
};

enum provider_answer_kind {
    PROVIDER_TRIGGERED,
    PROVIDER_REFUSED, /* by a 4xx */
    PROVIDER_ODD,     /* a 5xx, or not the documented JSON */
};

struct provider_answer {
    enum provider_answer_kind kind;
    int status;
    char event_id[PROVIDER_ID_SIZE], delivery_id[PROVIDER_ID_SIZE];
    char said[PROVIDER_TEXT_SIZE]; /* a refusal's text, or what is odd */
    struct provider_view view;
};

struct provider_bytes {
    int status;
    const char *bytes;
    size_t len;
    bool cut;        /* longer than the read limit */
    const char *key; /* redacted from all texts; may be NULL */
};

void provider_answer_read(const struct provider *provider, const struct provider_bytes *bytes,
                          struct provider_answer *answer);

/* Reads the report about an event's delivery to the endpoint. Returns false if there is none,
 * with the reason in view->error. */
bool provider_answer_read_event(const struct provider_bytes *bytes, const char *endpoint,
                                struct provider_view *view);

#endif
