/* SPDX-License-Identifier: MIT
 *
 * Hosts and networks: parsing and containment.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/net.h"
#include "tests/run.h"

static const struct {
    const char *network;
    const char *host;
    bool inside;
} pairs[] = {
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1/32", "192.0.2.1", true},
    {"192.0.2.0/31", "192.0.2.1", true},
    {"192.0.2.0/31", "192.0.2.2", false},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"10.0.0.0/9", "10.127.255.255", true},
    {"10.0.0.0/9", "10.128.0.0", false},
    {"128.0.0.0/1", "255.255.255.255", true},
    {"128.0.0.0/1", "127.255.255.255", false},
    {"0.0.0.0/0", "203.0.113.7", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "203.0.113.7", false},
    {"::/0", "::ffff:203.0.113.7", false},
    {"2001:db8::1", "2001:db8::1", true},
    {"2001:db8::1", "2001:DB8:0:0:0:0:0:1", true},
    {"2001:db8::1", "2001:db8::2", false},
    {"2001:db8::1/128", "2001:db8::3", false},
    {"2001:db8::/127", "2001:db8::1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8:8000::/33", "2001:db8:8000::1", true},
    {"2001:db8:8000::/33", "2001:db8:7fff::1", false},
    {"::1", "::1", true},
    {"::1", "127.0.0.1", false},
    {"0.0.0.1", "::1", false},
    {"127.0.0.1", "::ffff:127.0.0.1", true},
    {"::ffff:127.0.0.1", "127.0.0.1", true},
    {"::ffff:10.0.0.0/104", "10.255.0.1", true},
    {"::ffff:10.0.0.0/104", "11.0.0.0", false},
    {"::ffff:0:0/96", "192.0.2.1", true},
};

START_TEST(a_network_holds_the_hosts_that_begin_like_it)
{
    struct network_host host;
    struct network network;
    const char *expected;

    ck_assert_msg(network_read(pairs[_i].network, &network, &expected), "%s: %s", pairs[_i].network,
                  expected);
    ck_assert(network_host_read(pairs[_i].host, strlen(pairs[_i].host), &host));
    ck_assert_msg(network_contains(&network, &host) == pairs[_i].inside, "%s %s", pairs[_i].network,
                  pairs[_i].host);
    ck_assert_int_eq(networks_contain(&network, 1, &host), pairs[_i].inside);
    ck_assert(!networks_contain(&network, 0, &host));
}
END_TEST

static const struct {
    const char *text;
    const char *expected;
} wrong[] = {
    {"", "ADDRESS/BITS"},
    {"/", "ADDRESS/BITS"},
    {"/24", "ADDRESS/BITS"},
    {"localhost", "ADDRESS/BITS"},
    {"192.0.2", "ADDRESS/BITS"},
    {"192.0.2.256", "ADDRESS/BITS"},
    {"192.0.2.01", "ADDRESS/BITS"},
    {"192.0.2.1 ", "ADDRESS/BITS"},
    {" 192.0.2.1", "ADDRESS/BITS"},
    {"192.0.2.1:80", "ADDRESS/BITS"},
    {"[::1]", "ADDRESS/BITS"},
    {"fe80::1%lo", "ADDRESS/BITS"},
    {"2001:db8:::1", "ADDRESS/BITS"},
    {"0000:0000:0000:0000:0000:0000:255.255.255.255.255", "ADDRESS/BITS"},
    {"192.0.2.0/", "0 to 32"},
    {"192.0.2.0/33", "0 to 32"},
    {"192.0.2.0/-1", "0 to 32"},
    {"192.0.2.0/+8", "0 to 32"},
    {"192.0.2.0/08", "0 to 32"},
    {"192.0.2.0/24 ", "0 to 32"},
    {"192.0.2.0/24/24", "0 to 32"},
    {"192.0.2.0/255.255.255.0", "0 to 32"},
    {"192.0.2.0/4294967320", "0 to 32"},
    {"2001:db8::/129", "0 to 128"},
    {"2001:db8::/1000", "0 to 128"},
    {"192.0.2.1/24", "first address"},
    {"128.0.0.0/0", "first address"},
    {"2001:db8::1/64", "first address"},
    {"::ffff:10.0.0.0/8", "96 to 128 bits"},
    {"::ffff:10.0.0.1/104", "first address"},
};

START_TEST(what_is_no_network_is_refused_with_what_was_expected)
{
    struct network network;
    const char *expected = "nothing";

    ck_assert_msg(!network_read(wrong[_i].text, &network, &expected), "%s", wrong[_i].text);
    ck_assert_msg(strstr(expected, wrong[_i].expected) != NULL, "%s: %s", wrong[_i].text, expected);
}
END_TEST

START_TEST(a_host_ends_where_its_length_does)
{
    struct network_host host;

    ck_assert(network_host_read("192.0.2.17", 9, &host));
    ck_assert_int_eq(host.bytes[3], 1);
    ck_assert(!network_host_read("192.0.2.1\0", 10, &host));
    ck_assert(!network_host_read("::1", 0, &host));
}
END_TEST

static const struct {
    const char *address;
    const char *host; /* NULL: none */
} peers[] = {
    {"192.0.2.1:80", "192.0.2.1"},
    {"[2001:db8::1]:80", "2001:db8::1"},
    {"[::ffff:192.0.2.1]:1", "192.0.2.1"},
    {"unix:/nonexistent", NULL},
};

START_TEST(a_peer_has_a_host_unless_its_socket_is_a_file)
{
    struct sockaddr_storage address;
    char text[NETWORK_TEXT_SIZE];
    struct network_host host;
    socklen_t len;

    ck_assert(address_read(peers[_i].address, &address, &len));
    ck_assert_int_eq(network_host_of(&address, &host), peers[_i].host != NULL);
    if (peers[_i].host != NULL) {
        network_host_write(&host, text);
        ck_assert_str_eq(text, peers[_i].host);
    }
}
END_TEST

static const struct {
    const char *host;
    unsigned bits;
    const char *first;
} masks[] = {
    {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"},
    {"2001:db8:1:2:3:4:5:6", 61, "2001:db8:1::"},
    {"2001:db8:1:2:3:4:5:6", 0, "::"},
    {"2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"},
    {"192.0.2.255", 64, "192.0.2.255"},
    {"192.0.2.255", 25, "192.0.2.128"},
    {"192.0.2.255", 0, "0.0.0.0"},
};

START_TEST(a_mask_leaves_the_first_bits)
{
    char text[NETWORK_TEXT_SIZE];
    struct network_host host;

    ck_assert(network_host_read(masks[_i].host, strlen(masks[_i].host), &host));
    network_host_mask(&host, masks[_i].bits);
    network_host_write(&host, text);
    ck_assert_str_eq(text, masks[_i].first);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("network");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_network_holds_the_hosts_that_begin_like_it, 0, COUNT(pairs));
    tcase_add_loop_test(tc, what_is_no_network_is_refused_with_what_was_expected, 0, COUNT(wrong));
    tcase_add_test(tc, a_host_ends_where_its_length_does);
    tcase_add_loop_test(tc, a_peer_has_a_host_unless_its_socket_is_a_file, 0, COUNT(peers));
    tcase_add_loop_test(tc, a_mask_leaves_the_first_bits, 0, COUNT(masks));
    suite_add_tcase(s, tc);
    return s;
}
