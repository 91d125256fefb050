/* SPDX-License-Identifier: MIT
 *
 * attempt.h - one try to hand a delivery to a destination, from its start until the store has its
 * outcome.
 *
 * What was answered is written in one transaction with what follows of it. As long as that has not
 * succeeded the attempt is not over: it is written again, and nobody takes the delivery for done.
 *
 * Ownership  An attempt is its lane's, and is used again.
 * Threads    The forwarder's; what the journal runs of it is said in attempt.c.
 */
#ifndef DAEMON_FORWARD_ATTEMPT_H
#define DAEMON_FORWARD_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/mailbox.h"
#include "daemon/store/outbox.h"
#include "daemon/store/writer.h"

/* ---- the headers of a delivery on its way to a destination.
 *
 *   content-type and the headers that the sender signed or signed with, as they came
 *   Hookline-Source, -Scheme, -Id, -Type, -Seq, -Signed-At, -Received-At, -Attempt
 *   webhook-id, webhook-timestamp, webhook-signature, if the destination has a secret
 *
 * What a signed payload says may be any text: in a header every byte that is not printable ASCII,
 * blanks and "%" become %XX, and what is longer than 256 bytes is left out.
 *
 * Ownership  attempt_headers_new() allocates, attempt_headers_free() releases. */

struct destination;
struct delivery_row;

struct attempt_headers {
    char *text;
    const char **headers; /* as post.h takes them */
};

/* `tries` counts this one. Without memory `headers` is NULL. */
struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *d, unsigned tries,
                                           int64_t now_s);
void attempt_headers_free(struct attempt_headers *outgoing);

struct feed;
struct log;
struct client_call;
struct client_calls;
struct answer_wait;
struct policy;

/* What all attempts share. */
struct attempt_tools {
    struct outbox *outbox; /* for the journal's thread only */
    struct writer *writer;
    struct client_calls *calls;
    struct log *log;
    struct feed *feed;
    struct mailbox *mailbox;
};

enum attempt_state {
    ATTEMPT_NONE,
    ATTEMPT_SENDING,
    ATTEMPT_RECORDING,
    ATTEMPT_UNRECORDED, /* the journal could not; to be tried at retry_us */
};

struct attempt {
    struct writer_task task;
    struct mailbox_message message;
    const struct attempt_tools *tools;
    const struct destination *destination;     /* of ... */
    struct policy *policy;                     /* ... these: the lane's, held for it meanwhile */
    void *data;                                /* of the lane, for what follows */
    void (*answered)(struct attempt *attempt); /* its facts are complete: record it */
    void (*recorded)(struct attempt *attempt); /* it is over, state is ATTEMPT_NONE */

    enum attempt_state state;
    bool cancelled;
    struct delivery_row *delivery;
    struct client_call *call;
    struct answer_wait *waiters; /* who waits for the answer */
    bool keeps_answer;           /* for them */
    struct outbox_attempt facts;
    int64_t begun_us, retry_us; /* of the clock that never jumps */
    int64_t retry_after_us;     /* for how long the destination wants to be left alone */
    bool reached;               /* the destination is well, whatever it thinks of this delivery */
    int64_t cursor;             /* to be written with it */
    enum writer_outcome writer_outcome;
    char error[256];
};

/* Takes the entry, which may be NULL if the store has none of that seq. */
void attempt_start(struct attempt *attempt, struct delivery_row *delivery, int64_t seq,
                   unsigned tries, bool first);

/* Another one waits for its answer. Only before it starts, or while it is sending and keeps it. */
void attempt_add_waiter(struct attempt *attempt, struct answer_wait *waiter);

/* Has the journal write it, with the destination's cursor. */
void attempt_record(struct attempt *attempt, int64_t cursor);

/* Ends what is under way as if it had failed; it is due again at once, and not counted. */
void attempt_cancel(struct attempt *attempt);

#endif
