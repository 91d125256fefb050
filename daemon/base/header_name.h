/* SPDX-License-Identifier: MIT
 *
 * header_name.h - names of HTTP request headers: the ones that a destination receives as the sender
 * sent them, and the ones that a configuration may set. Pure.
 *
 * A comparison ignores case and takes "_" for "-", because CGI and WSGI give an application both
 * "Hookline-Type" and "Hookline_Type" as HTTP_HOOKLINE_TYPE.
 *
 * Threads    Any.
 */
#ifndef DAEMON_BASE_HEADER_NAME_H
#define DAEMON_BASE_HEADER_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Compares `len` bytes of two names. */
bool header_name_equals(const char *a, const char *b, size_t len);

/* Matches a name literally, or by prefix if the pattern ends with "*". */
bool header_name_matches(const char *pattern, const char *name, size_t len);

/* True for a token of HTTP (RFC 9110, section 5.6.2). */
bool header_name_is_token(const char *name, size_t len);

/* True for a request header that is stored and forwarded. False for a header of the connection
 * (RFC 9110, section 7.6.1), of the message's frame or its answer (Content-Length, Host, Expect,
 * Accept-Encoding), for a secret (Authorization, Cookie, a name that ends with "-token"), for
 * Hookline-*, and for a name that is no token of HTTP. */
bool header_name_travels(const char *name, size_t len);

/* True for a request header that a destination may be given: like header_name_travels(), but
 * secrets and Host are allowed. */
bool header_name_is_settable(const char *name, size_t len);

#endif
