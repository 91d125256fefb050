/* SPDX-License-Identifier: MIT
 *
 * public_url.h - whether a URL is one that a provider on the internet would send to.
 *
 * Threads    Any. A name that nobody knows by heart is looked up, which takes as long as it takes.
 */
#ifndef CLI_EMULATOR_PUBLIC_URL_H
#define CLI_EMULATOR_PUBLIC_URL_H

#include <stdbool.h>

enum public_url {
    PUBLIC_URL_GOOD,
    PUBLIC_URL_NOT_HTTPS,
    PUBLIC_URL_PRIVATE_IP, /* one of its addresses is private, loopback or link-local */
    PUBLIC_URL_UNRESOLVABLE,
};

/* In this order: https, then the look-up, then its addresses. */
enum public_url public_url_check(const char *url);

bool public_url_is_https(const char *url);

#endif
