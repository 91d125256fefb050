/* SPDX-License-Identifier: MIT
 *
 * host_check.h - whether a request over loopback comes from this machine's own programs, or from a page
 * of somebody else's that a browser here has open. Pure.
 */
#ifndef DAEMON_HTTP_HOST_CHECK_H
#define DAEMON_HTTP_HOST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Of the header Host: whether it names this machine, as a name that no foreign name server has a
 * say in. Else a page could point a name of its own at 127.0.0.1 and read what we answer. */
bool host_check_is_local(const char *host, size_t len);

/* Of the header Origin: whether the page that asks is one of ours. */
bool host_check_is_same_origin(const char *origin, size_t origin_len, const char *host, size_t len);

#endif
