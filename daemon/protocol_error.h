/* SPDX-License-Identifier: MIT
 *
 * protocol_error.h - what libh2o refuses by itself (a body over the limit, broken chunks), told
 * and recorded as we tell and record our own refusals.
 */
#ifndef PROTOCOL_ERROR_H
#define PROTOCOL_ERROR_H

struct sources;
struct st_h2o_handler_t;
struct st_h2o_pathconf_t;

/* `handler` is the one whose context on each loop is the struct delivery_recorder. */
void protocol_error_register(struct st_h2o_pathconf_t *path, struct st_h2o_handler_t *handler,
                             const struct sources *sources);

#endif
