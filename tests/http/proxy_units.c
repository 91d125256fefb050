/* SPDX-License-Identifier: MIT
 *
 * The client's address from a proxy: the PROXY protocol and X-Forwarded-For.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/net.h"
#include "daemon/http/proxy_header.h"
#include "tests/run.h"

#define BYTES(text) text, sizeof(text) - 1
#define MAGIC       "\r\n\r\n\0\r\nQUIT\n"
#define PAIR_4      "\xc0\0\2\1\xc6\x33\x64\1\x12\x34\1\xbb"
#define HOST_6      "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define PAIR_6      HOST_6 HOST_6 "\x12\x34\1\xbb"

static const struct {
    const char *bytes;
    size_t len;
    const char *source;
} headers[] = {
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 4660 443\r\n"), "192.0.2.1:4660"},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535"},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 0 0\r\n"), "192.0.2.1:0"},
    {BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 4660 443\r\n"), "[2001:db8::1]:4660"},
    {BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {BYTES("PROXY UNKNOWN\r\n"), "unknown"},
    {BYTES("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "unknown"},
    {BYTES(MAGIC "\x21\x11\0\x0c" PAIR_4), "192.0.2.1:4660"},
    {BYTES(MAGIC "\x21\x21\0\x24" PAIR_6), "[2001:db8::1]:4660"},
    {BYTES(MAGIC "\x21\x11\0\x12" PAIR_4 "\4\0\3abc"), "192.0.2.1:4660"}, /* with a TLV */
    {BYTES(MAGIC "\x20\0\0\0"), "unknown"},                               /* LOCAL */
    {BYTES(MAGIC "\x20\x11\0\x0c" PAIR_4), "unknown"},
    {BYTES(MAGIC "\x20\x11\0\2xx"), "unknown"},
    {BYTES(MAGIC "\x20\xff\0\0"), "unknown"},          /* LOCAL ignores the rest */
    {BYTES(MAGIC "\x21\0\0\0"), "unknown"},            /* AF_UNSPEC */
    {BYTES(MAGIC "\x21\x12\0\x0c" PAIR_4), "unknown"}, /* UDP */
    {BYTES(MAGIC "\x21\x31\0\1x"), "unknown"},         /* a Unix socket */
};

static enum proxy_header_state read_exactly(const char *bytes, size_t len, struct proxy_header *h)
{
    char *exact = malloc(len == 0 ? 1 : len); /* exposes reads beyond the end */
    enum proxy_header_state state;

    memcpy(exact, bytes, len);
    state = proxy_header_read(exact, len, h);
    free(exact);
    return state;
}

START_TEST(a_header_is_read_however_it_is_cut_and_ends_where_it_ends)
{
    char more[256], text[ADDRESS_TEXT_SIZE];
    size_t len = headers[_i].len;
    struct proxy_header header;

    for (size_t cut = 0; cut < len; cut++)
        ck_assert_msg(read_exactly(headers[_i].bytes, cut, &header) == PROXY_HEADER_INCOMPLETE,
                      "cut at %zu", cut);
    memcpy(more, headers[_i].bytes, len);
    memcpy(more + len, "GET / HTTP/1.1\r\n", 16);
    for (size_t extra = 0; extra <= 16; extra++) {
        ck_assert_int_eq(read_exactly(more, len + extra, &header), PROXY_HEADER_READ);
        ck_assert_uint_eq(header.len, len);
        address_write(&header.source, text);
        ck_assert_str_eq(text, headers[_i].source);
    }
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
} wrong[] = {
    {BYTES("GET / HTTP/1.1\r\n")},
    {BYTES("\x16\x03\x01")},
    {BYTES("PROXX")},
    {BYTES("proxy TCP4")},
    {BYTES("PROXY\r\n")},
    {BYTES("PROXY \r\n")},
    {BYTES("PROXY TCP4\r\n")},
    {BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n")},
    {BYTES("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n")},
    {BYTES("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")},
    {BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1 x 1 2\r\n")},
    {BYTES("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n")},
    {BYTES("PROXY UNKNOWN\0\r\n")},
    {BYTES("PROXY UNKNOWNS\r\n")},
    {BYTES("PROXY UNKNOWN "
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")},
    {BYTES(MAGIC "\x11\x11\0\x0c" PAIR_4)}, /* unknown version */
    {BYTES(MAGIC "\x22\x11\0\x0c" PAIR_4)}, /* unknown command */
    {BYTES(MAGIC "\x21\x41\0\0")},          /* unknown family */
    {BYTES(MAGIC "\x21\x13\0\x0c" PAIR_4)}, /* unknown transport */
    {BYTES(MAGIC "\x21\x11\0\x0b" PAIR_4)}, /* too short for its addresses */
    {BYTES(MAGIC "\x21\x21\0\x23" PAIR_6)},
    {BYTES("\r\n\r\n\0\r\nQUIT\r")},
};

START_TEST(what_is_no_header_is_found_to_be_none)
{
    struct proxy_header header;

    ck_assert_int_eq(read_exactly(wrong[_i].bytes, wrong[_i].len, &header), PROXY_HEADER_WRONG);
}
END_TEST

/* ---- X-Forwarded-For */

static char *const trusted[] = {"10.0.0.0/8", "2001:db8:aaaa::/48", "127.0.0.1", "unix"};

static const struct {
    const char *value;
    const char *host; /* "": unchanged */
    bool all;
} values[] = {
    {"203.0.113.7", "203.0.113.7", false},
    {"203.0.113.7, 10.0.0.1", "203.0.113.7", false},
    {"203.0.113.7,10.0.0.1,10.0.0.2", "203.0.113.7", false},
    {"192.0.2.66, 203.0.113.7, 10.0.0.1", "203.0.113.7",
     false}, /* the client may forge the first */
    {"10.0.0.5, 203.0.113.7", "203.0.113.7", false},
    {"10.0.0.5, 10.0.0.6", "10.0.0.5", true},
    {"2001:db8::7, 2001:db8:aaaa::1", "2001:db8::7", false},
    {"\t203.0.113.7 \t,  10.0.0.1 ", "203.0.113.7", false},
    {"203.0.113.7:4711", "203.0.113.7", false},
    {"203.0.113.7:4711, 10.0.0.1:80", "203.0.113.7", false},
    {"[2001:db8::7]", "2001:db8::7", false},
    {"[2001:db8::7]:4711", "2001:db8::7", false},
    {"::ffff:10.0.0.1", "10.0.0.1", true},
    {"::ffff:203.0.113.7", "203.0.113.7", false},
    {"[::ffff:203.0.113.7]:4711", "203.0.113.7", false},
    {"[::ffff:10.0.0.1]", "10.0.0.1", true},
    {"unknown", "", false},
    {"unix", "", false},
    {"", "", false},
    {" ", "", false},
    {",", "", false},
    {"203.0.113.7,", "", false},
    {"203.0.113.7, unknown, 10.0.0.1", "10.0.0.1", false},
    {"203.0.113.7, , 10.0.0.1", "10.0.0.1", false},
    {"203.0.113.7 10.0.0.1", "", false},
    {"203.0.113.7;10.0.0.1", "", false},
    {"_hidden", "", false},
    {"\"[2001:db8::7]\"", "", false},
    {"[2001:db8::7", "", false},
    {"[2001:db8::7]x", "", false},
    {"[203.0.113.7]", "", false},
    {"[", "", false},
    {":80", "", false},
    {"example.com", "", false},
};

START_TEST(the_right_most_address_that_is_no_proxy_is_the_sender)
{
    struct proxies *proxies = proxies_new(trusted, COUNT(trusted));
    size_t len = strlen(values[_i].value);
    char *exact = malloc(len + 1), text[NETWORK_TEXT_SIZE] = "";
    struct network_host host = {.family = 0};

    memcpy(exact, values[_i].value, len);
    ck_assert_int_eq(proxies_resolve_forwarded(proxies, exact, len, &host), values[_i].all);
    if (host.family != 0)
        network_host_write(&host, text);
    ck_assert_str_eq(text, values[_i].host);
    free(exact);
    proxies_free(&proxies);
    ck_assert_ptr_null(proxies);
}
END_TEST

static const struct {
    const char *peer;
    bool trusted;
} peers[] = {
    {"10.1.2.3:80", true},    {"127.0.0.1:1", true},          {"127.0.0.2:1", false},
    {"[::1]:80", false},      {"[2001:db8:aaaa::1]:1", true}, {"[::ffff:10.0.0.1]:80", true},
    {"unix:/anything", true},
};

START_TEST(a_peer_is_trusted_if_it_was_named)
{
    struct proxies *all = proxies_new(trusted, COUNT(trusted));
    struct proxies *none = proxies_new(NULL, 0);
    struct sockaddr_storage address;
    socklen_t len;

    ck_assert(address_read(peers[_i].peer, &address, &len));
    ck_assert_int_eq(proxies_trust(all, &address), peers[_i].trusted);
    ck_assert(!proxies_trust(none, &address));
    proxies_free(&all);
    proxies_free(&none);
}
END_TEST

START_TEST(nobody_is_trusted_by_a_name)
{
    const char *expected = "";

    ck_assert(proxies_text_is_valid("unix", &expected));
    ck_assert(proxies_text_is_valid("::1", &expected));
    ck_assert(!proxies_text_is_valid("localhost", &expected));
    ck_assert_str_ne(expected, "");
    ck_assert(!proxies_text_is_valid("unix:/path", &expected));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("proxy");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_header_is_read_however_it_is_cut_and_ends_where_it_ends, 0,
                        COUNT(headers));
    tcase_add_loop_test(tc, what_is_no_header_is_found_to_be_none, 0, COUNT(wrong));
    tcase_add_loop_test(tc, the_right_most_address_that_is_no_proxy_is_the_sender, 0,
                        COUNT(values));
    tcase_add_loop_test(tc, a_peer_is_trusted_if_it_was_named, 0, COUNT(peers));
    tcase_add_test(tc, nobody_is_trusted_by_a_name);
    suite_add_tcase(s, tc);
    return s;
}
