/* SPDX-License-Identifier: MIT
 *
 * host_check.h - Host and Origin checks of the admin API against DNS rebinding and cross-site
 * requests. Pure.
 */
#ifndef DAEMON_HTTP_HOST_CHECK_H
#define DAEMON_HTTP_HOST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true if the Host header is localhost, 127.0.0.0/8 or [::1]. Any other name could be a
 * web page's own domain that resolves to 127.0.0.1 (DNS rebinding). */
bool host_check_is_local(const char *host, size_t len);

/* Returns true if the Origin header is http:// plus the Host header: a page of the admin API. */
bool host_check_is_same_origin(const char *origin, size_t origin_len, const char *host, size_t len);

#endif
