/* SPDX-License-Identifier: MIT
 *
 * upstream_answer.h - deliveries of sources whose senders get the application's answer: what the store has
 * to know of them, and the answer as an HTTP response.
 *
 * Errors     SQLite's codes.
 */
#ifndef DAEMON_RECEIVE_UPSTREAM_ANSWER_H
#define DAEMON_RECEIVE_UPSTREAM_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct destination;
struct json_writer;
struct outbox;
struct answer_wait;
struct st_h2o_req_t;

struct upstream_answer {
    struct outbox *outbox; /* for the journal's thread only */
    void *data;
    /* Asks the one that answers for the source. */
    void (*add_waiter)(void *data, const struct destination *destination,
                       struct answer_wait *waiter);
};

/* On the journal's thread, in the transaction that has stored the delivery, or has found that it is
 * there: *wanted says whether its sender is to get the answer of the one that answers for the
 * source. Should nobody come to ask for that, the delivery is sent a while
 * later. */
int upstream_answer_prepare(const struct upstream_answer *upstream,
                            const struct destination *answering, int64_t seq, bool is_repeated,
                            bool *wanted);

/* Answers the request with what came back; the receipt is for where that is nothing. False if the
 * delivery was done before: then it is a duplicate like any other. */
bool upstream_answer_send(struct st_h2o_req_t *req, const struct answer_wait *waiter,
                          const char *receipt, struct json_writer *line);

#endif
