/* SPDX-License-Identifier: MIT
 *
 * protocol_error.h - what is refused before the receiver sees it (a body over the limit, broken
 * chunks, a connection too many), told and recorded as the receiver's own refusals are.
 */
#ifndef DAEMON_RECEIVE_PROTOCOL_ERROR_H
#define DAEMON_RECEIVE_PROTOCOL_ERROR_H

struct st_h2o_handler_t;
struct st_h2o_pathconf_t;

/* `handler` is the one whose context on each loop is the struct pending_set. */
void protocol_error_register(struct st_h2o_pathconf_t *path, struct st_h2o_handler_t *handler);

#endif
