/* SPDX-License-Identifier: MIT
 *
 * provider_answer.h - what a provider's answer means: did it do what it was asked for, and what
 * does it say about the delivery. Takes whatever comes: HTML, broken JSON, ids that are none. Pure.
 */
#ifndef CLI_PING_PROVIDER_ANSWER_H
#define CLI_PING_PROVIDER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct provider;

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
