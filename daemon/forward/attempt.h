/* SPDX-License-Identifier: MIT
 *
 * attempt.h - one attempt to send a delivery to a destination, until its outcome is recorded.
 *
 * One transaction records the result and its consequence (done, retry, parked). The attempt ends
 * only after that commit; a failed record is repeated.
 *
 * Ownership  The queue owns its attempts and reuses them. attempt_headers_new() allocates,
 *            attempt_headers_free() frees.
 * Threads    The forwarder thread; the task runs on the writer thread.
 */
#ifndef DAEMON_FORWARD_ATTEMPT_H
#define DAEMON_FORWARD_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/mailbox.h"
#include "daemon/store/outbox.h"
#include "daemon/store/writer.h"

struct answer_wait;
struct client_call;
struct client_calls;
struct delivery_row;
struct destination;
struct feed;
struct log;
struct policy;

/* ---- request headers */

/* The sender's headers that the destination takes, then
 *   User-Agent, if the sender's has not been written
 *   Hookline-Source, -Scheme, -Id, -Type, -Seq, -Signed-At, -Received-At, -Attempt
 *   webhook-id, webhook-timestamp, webhook-signature, if the destination has a secret
 *   the headers that the destination adds
 * Texts of the payload are percent-encoded: non-ASCII bytes, control characters, blanks and "%"
 * become %XX; texts of more than 256 bytes are omitted. */
struct attempt_headers {
    char *text;
    const char **headers; /* for struct client_request */
};

/* Builds the headers; `tries` includes this attempt. `headers` is NULL on failure. */
struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *destination, unsigned tries,
                                           int64_t now_s);
void attempt_headers_free(struct attempt_headers *outgoing);

/* Returns the destination's URL, with the sender's query unless the destination wants none; NULL on
 * ENOMEM. The query cannot change the rest of the URL. */
char *attempt_url_new(const struct delivery_row *delivery, const struct destination *destination);

/* ---- attempt */

/* Shared by all attempts. */
struct attempt_tools {
    struct outbox *outbox; /* writer thread only */
    struct writer *writer;
    struct client_calls *calls;
    struct log *log;
    struct feed *feed;
    struct mailbox *mailbox;
};

enum {
    /* Refusals of a delivery in a row that use up no try. A delivery that the destination always
     * refuses is parked at last. */
    ATTEMPT_REFUSALS_SPARED = 50,
};

enum attempt_state {
    ATTEMPT_NONE,
    ATTEMPT_SENDING,
    ATTEMPT_RECORDING,
    ATTEMPT_UNRECORDED, /* the record failed; repeat it at retry_us */
};

struct attempt {
    struct writer_task task;
    struct mailbox_message message;
    const struct attempt_tools *tools;
    const struct destination *destination;     /* part of `policy` */
    struct policy *policy;                     /* held */
    void *data;                                /* the queue, for the callbacks */
    void (*answered)(struct attempt *attempt); /* facts are complete: call attempt_record() */
    void (*recorded)(struct attempt *attempt); /* the attempt has ended, state is ATTEMPT_NONE */

    enum attempt_state state;
    bool cancelled;
    struct delivery_row *delivery;
    struct client_call *call;
    struct answer_wait *waiters; /* senders that wait for the answer */
    bool keeps_answer;           /* the call keeps the answer's body for waiters */
    struct outbox_attempt facts;
    int64_t begun_us, retry_us; /* monotonic clock */
    int64_t retry_after_us;     /* duration of the destination's Retry-After, 0: none */
    unsigned refusals;          /* attempts before that used up no try */
    bool refused;               /* the destination wants a pause */
    bool reached;               /* the destination works, even if it refused this delivery */
    int64_t cursor;             /* low-water mark to record, too */
    enum writer_outcome writer_outcome;
    char error[256];
};

/* Starts an attempt and takes ownership of `delivery`; NULL (deleted from the store) and a damaged
 * delivery park `seq`. */
void attempt_start(struct attempt *attempt, struct delivery_row *delivery, int64_t seq,
                   unsigned tries, bool first);

/* Adds a waiting sender: before the start, or while sending with keeps_answer. */
void attempt_add_waiter(struct attempt *attempt, struct answer_wait *waiter);

/* Ends the waits without an answer; the attempt goes on. */
void attempt_end_waits(struct attempt *attempt);

/* Records the outcome and the destination's low-water mark in a task of the writer. */
void attempt_record(struct attempt *attempt, int64_t cursor);

/* Aborts the call; the delivery is due again at once, and the attempt does not count. */
void attempt_cancel(struct attempt *attempt);

#endif
