/* SPDX-License-Identifier: MIT
 *
 * address.h - "127.0.0.1:8080" and "[::1]:8080" as socket addresses. Numbers only: names are not
 * looked up.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum {
    ADDRESS_TEXT_SIZE = 64
};

bool address_read(const char *text, struct sockaddr_storage *address, socklen_t *len);

/* Anything that is no IP address is written as "unknown". `text` has ADDRESS_TEXT_SIZE bytes. */
void address_write(const struct sockaddr_storage *address, char *text);

#endif
