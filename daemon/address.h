/* SPDX-License-Identifier: MIT
 *
 * address.h - where to listen, as text. Pure: no name is resolved.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

struct addrinfo;

#define ADDRESS_EXPECTED "expected a numeric ADDRESS:PORT or [ADDRESS]:PORT"

/* Reads "IPV4:PORT" or "[IPV6]:PORT", all of it numbers. NULL if it is something else; release it
 * with freeaddrinfo(). */
struct addrinfo *address_read(const char *text);

#endif
