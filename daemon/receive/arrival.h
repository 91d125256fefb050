/* SPDX-License-Identifier: MIT
 *
 * arrival.h - a request as the delivery that it may become: when, from whom, for which source.
 */
#ifndef DAEMON_RECEIVE_ARRIVAL_H
#define DAEMON_RECEIVE_ARRIVAL_H

struct delivery;
struct receipts;
struct sources;
struct st_h2o_req_t;

/* Sets *d to what is known before anything is verified; d->source is NULL if no source has the
 * path, whatever its query. */
void delivery_begin(struct delivery *d, struct st_h2o_req_t *req, const struct sources *sources,
                    struct receipts *receipts);

#endif
