/* SPDX-License-Identifier: MIT */
#include "daemon/http/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    V1_LINE_MAX = 107,   /* version 1, with its line end */
    V2_FIXED_BYTES = 16, /* version 2, before the addresses */
    V2_IPV4_BYTES = 12,
    V2_IPV6_BYTES = 36,
};

static const char proxy_v1_signature[] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const char proxy_v2_signature[] = {'\r', '\n', '\r', '\n', '\0', '\r',
                                          '\n', 'Q',  'U',  'I',  'T',  '\n'};

/* ---- version 1 */

struct proxy_line {
    char text[V1_LINE_MAX + 1];
    char *next;
};

/* Returns the next word, or NULL unless exactly one space or the end follows it. */
static const char *proxy_line_take_word(struct proxy_line *line)
{
    char *word = line->next;
    size_t len;

    if (word == NULL || (len = strcspn(word, " ")) == 0)
        return NULL;
    line->next = word[len] == '\0' ? NULL : word + len + 1;
    word[len] = '\0';
    return word;
}

static bool proxy_line_read_port(const char *word, in_port_t *port)
{
    unsigned number = 0;
    size_t len = word == NULL ? 0 : strlen(word);

    if (len == 0 || len > 5 || strspn(word, "0123456789") != len || (word[0] == '0' && len > 1))
        return false;
    for (; *word != '\0'; word++)
        number = number * 10 + (unsigned)(*word - '0');
    *port = htons((uint16_t)number);
    return number <= UINT16_MAX;
}

static bool proxy_line_read_addresses(struct proxy_line *line, int family,
                                      struct sockaddr_storage *source)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)source;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)source;
    const char *from = proxy_line_take_word(line), *to = proxy_line_take_word(line);
    unsigned char ignored[16];
    in_port_t port, ignored_port;

    *source = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    if (from == NULL || to == NULL || inet_pton(family, to, ignored) != 1 ||
        inet_pton(family, from, family == AF_INET ? (void *)&v4->sin_addr : &v6->sin6_addr) != 1)
        return false;
    if (!proxy_line_read_port(proxy_line_take_word(line), &port) ||
        !proxy_line_read_port(proxy_line_take_word(line), &ignored_port) || line->next != NULL)
        return false;
    if (family == AF_INET)
        v4->sin_port = port;
    else
        v6->sin6_port = port;
    return true;
}

static bool proxy_line_read_words(struct proxy_line *line, struct sockaddr_storage *source)
{
    const char *protocol = proxy_line_take_word(line);

    *source = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (protocol == NULL)
        return false;
    if (strcmp(protocol, "UNKNOWN") == 0)
        return true;
    if (strcmp(protocol, "TCP4") == 0)
        return proxy_line_read_addresses(line, AF_INET, source);
    return strcmp(protocol, "TCP6") == 0 && proxy_line_read_addresses(line, AF_INET6, source);
}

static enum proxy_header_state proxy_header_read_v1(const char *bytes, size_t len,
                                                    struct proxy_header *header)
{
    size_t whole = len < V1_LINE_MAX ? len : V1_LINE_MAX;
    const char *end = memchr(bytes, '\n', whole);
    struct proxy_line words;
    size_t text_len;

    if (end == NULL)
        return len < V1_LINE_MAX ? PROXY_HEADER_INCOMPLETE : PROXY_HEADER_WRONG;
    header->len = (size_t)(end - bytes) + 1;
    if (end[-1] != '\r')
        return PROXY_HEADER_WRONG;
    text_len = header->len - 2 - sizeof(proxy_v1_signature);
    memcpy(words.text, bytes + sizeof(proxy_v1_signature), text_len);
    words.text[text_len] = '\0';
    words.next = words.text;
    return strlen(words.text) == text_len && proxy_line_read_words(&words, &header->source)
               ? PROXY_HEADER_READ
               : PROXY_HEADER_WRONG;
}

/* ---- version 2 */

static void proxy_header_take_ipv4(const char *addresses, struct sockaddr_storage *source)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)source;

    v4->sin_family = AF_INET;
    memcpy(&v4->sin_addr, addresses, 4);
    memcpy(&v4->sin_port, addresses + 8, 2);
}

static void proxy_header_take_ipv6(const char *addresses, struct sockaddr_storage *source)
{
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)source;

    v6->sin6_family = AF_INET6;
    memcpy(&v6->sin6_addr, addresses, 16);
    memcpy(&v6->sin6_port, addresses + 32, 2);
}

/* Returns true for a family and transport that the specification defines. */
static bool proxy_header_is_kind(unsigned char family_and_transport)
{
    return family_and_transport >> 4 <= 3 && (family_and_transport & 0xf) <= 2;
}

static enum proxy_header_state proxy_header_read_v2(const char *bytes, size_t len,
                                                    struct proxy_header *header)
{
    const unsigned char *fixed = (const unsigned char *)bytes;
    bool proxied;
    size_t more;

    if (len > 12 && fixed[12] != 0x20 && fixed[12] != 0x21)
        return PROXY_HEADER_WRONG;
    if (len > 13 && fixed[12] == 0x21 && !proxy_header_is_kind(fixed[13]))
        return PROXY_HEADER_WRONG;
    if (len < V2_FIXED_BYTES)
        return PROXY_HEADER_INCOMPLETE;
    proxied = fixed[12] == 0x21;
    more = (size_t)fixed[14] << 8 | fixed[15];
    header->len = V2_FIXED_BYTES + more;
    header->source = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (proxied && ((fixed[13] == 0x11 && more < V2_IPV4_BYTES) ||
                    (fixed[13] == 0x21 && more < V2_IPV6_BYTES)))
        return PROXY_HEADER_WRONG;
    if (len < header->len)
        return PROXY_HEADER_INCOMPLETE;
    if (proxied && fixed[13] == 0x11)
        proxy_header_take_ipv4(bytes + V2_FIXED_BYTES, &header->source);
    else if (proxied && fixed[13] == 0x21)
        proxy_header_take_ipv6(bytes + V2_FIXED_BYTES, &header->source);
    return PROXY_HEADER_READ;
}

static bool proxy_header_begins(const char *bytes, size_t len, const char *start, size_t start_len)
{
    return memcmp(bytes, start, len < start_len ? len : start_len) == 0;
}

enum proxy_header_state proxy_header_read(const char *bytes, size_t len,
                                          struct proxy_header *header)
{
    if (len == 0)
        return PROXY_HEADER_INCOMPLETE;
    if (proxy_header_begins(bytes, len, proxy_v1_signature, sizeof(proxy_v1_signature)))
        return len < sizeof(proxy_v1_signature) ? PROXY_HEADER_INCOMPLETE
                                                : proxy_header_read_v1(bytes, len, header);
    if (proxy_header_begins(bytes, len, proxy_v2_signature, sizeof(proxy_v2_signature)))
        return proxy_header_read_v2(bytes, len, header);
    return PROXY_HEADER_WRONG;
}
