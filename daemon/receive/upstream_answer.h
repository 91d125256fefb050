/* SPDX-License-Identifier: MIT
 *
 * upstream_answer.h - sources whose senders get the application's answer: outbox entry and HTTP
 * response.
 *
 * Threads    upstream_answer_prepare() on the writer thread, upstream_answer_send() on the loop.
 * Errors     SQLite result codes.
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
    struct outbox *outbox; /* used on the writer thread only */
    void *data;
    /* Hands the waiter to the queue of the destination. */
    void (*add_waiter)(void *data, const struct destination *destination,
                       struct answer_wait *waiter);
};

/* Runs in the transaction that stored the delivery or found its duplicate. Sets *wanted if the
 * sender is to get the answer of `answering`, the destination that answers for the source. If no
 * waiter follows, the outbox sends the delivery after timeout_s + 30 s. */
int upstream_answer_prepare(const struct upstream_answer *upstream,
                            const struct destination *answering, int64_t seq, bool is_repeated,
                            bool *wanted);

/* Sends the application's answer, or 502 or 504 with the receipt. Returns false if the delivery
 * was delivered before: answer it as a duplicate. */
bool upstream_answer_send(struct st_h2o_req_t *req, const struct answer_wait *waiter,
                          const char *receipt, struct json_writer *line);

#endif
