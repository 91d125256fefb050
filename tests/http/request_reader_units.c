/* SPDX-License-Identifier: MIT
 *
 * Requests and chunked bodies as RFC 9112 and RFC 9110 have them: one reading, however the bytes
 * are cut, or none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/request_reader.h"
#include "tests/run.h"

#define BYTES(text)   text, sizeof(text) - 1
#define LINE(text)    BYTES(text "\r\nHost: a\r\n\r\n")
#define FIELDS(text)  BYTES("POST / HTTP/1.1\r\nHost: a\r\n" text "\r\n")
#define OLD(text)     BYTES("POST / HTTP/1.0\r\n" text "\r\n")
#define HOST(text)    BYTES("GET / HTTP/1.1\r\n" text "\r\n\r\n")
#define CHUNKED       "Transfer-Encoding: chunked\r\n"
#define EXPECT        "Expect: 100-continue\r\n"
#define TEN(text)     text text text text text text text text text text
#define CHUNKS(text)  BYTES(text "0\r\n\r\n")
#define TRAILER(text) BYTES("0\r\n" text "\r\n\r\n")

enum {
    HEAD_MAX = 1 << 10,
    TOLD_SIZE = 2 << 10
};

struct piece {
    const char *bytes;
    size_t len;
};

/* A request, and its reading: "METHOD TARGET HOST MINOR BODY keep|close [continue]". */
struct reading {
    const char *bytes;
    size_t len;
    const char *told;
};

/* ---- heads */

static char *copy_exactly(const char *bytes, size_t len)
{
    char *exact = malloc(len == 0 ? 1 : len); /* exposes reads beyond the end */

    memcpy(exact, bytes, len);
    return exact;
}

static void add_text(char *told, const char *bytes, struct request_text text)
{
    size_t used = strlen(told);

    if (text.len == 0)
        snprintf(told + used, TOLD_SIZE - used, "- ");
    else
        snprintf(told + used, TOLD_SIZE - used, "%.*s ", (int)text.len, bytes + text.at);
}

static void tell_head(char *told, const char *bytes, const struct request_head *head)
{
    char body[32] = "chunked";
    size_t used;

    if (!head->is_chunked)
        snprintf(body, sizeof(body), "%llu", (unsigned long long)head->content_length);
    told[0] = '\0';
    add_text(told, bytes, head->method);
    add_text(told, bytes, head->target);
    add_text(told, bytes, head->host);
    used = strlen(told);
    snprintf(told + used, TOLD_SIZE - used, "%u %s %s%s", head->minor, body,
             head->is_persistent ? "keep" : "close", head->expects_continue ? " continue" : "");
}

static void tell_fault(char *told, enum request_fault fault)
{
    static const char *const names[] = {
        [REQUEST_NO_FAULT] = "unfinished",
        [REQUEST_MALFORMED] = "malformed",
        [REQUEST_HEAD_TOO_LARGE] = "too large",
        [REQUEST_UNKNOWN_EXPECTATION] = "unknown expectation",
    };

    snprintf(told, TOLD_SIZE, "%s", names[fault]);
}

/* Reads a head that arrives in two pieces, the second one byte by byte if `slow`. */
static void tell_pieces(char *told, const char *bytes, size_t len, size_t first, bool slow)
{
    struct request_scan scan = {0};
    struct request_head head;
    enum request_fault fault = REQUEST_NO_FAULT;
    size_t head_len = 0;

    for (size_t got = first; head_len == 0 && fault == REQUEST_NO_FAULT && got <= len;) {
        char *exact = copy_exactly(bytes, got);

        fault = request_head_scan(&scan, exact, got, HEAD_MAX, &head_len);
        if (fault == REQUEST_NO_FAULT && head_len > 0)
            fault = request_head_read(&head, exact, &scan);
        free(exact);
        got = slow || got == len ? got + 1 : len;
    }
    if (head_len > 0 && fault == REQUEST_NO_FAULT)
        tell_head(told, bytes, &head);
    else
        tell_fault(told, fault);
}

static void check_head(const char *bytes, size_t len, const char *expected)
{
    char told[TOLD_SIZE];

    for (size_t cut = 0; cut <= len; cut++) {
        tell_pieces(told, bytes, len, cut, false);
        ck_assert_msg(strcmp(told, expected) == 0, "%s, cut at %zu: %s, not %s", bytes, cut, told,
                      expected);
    }
    tell_pieces(told, bytes, len, 0, true);
    ck_assert_msg(strcmp(told, expected) == 0, "%s, byte by byte: %s, not %s", bytes, told,
                  expected);
}

/* ---- request line (RFC 9112, sections 2.2, 2.3 and 3) */

static const struct reading lines[] = {
    {LINE("GET / HTTP/1.1"), "GET / a 1 0 keep"},
    {LINE("GET /a/b;c=d?e=/?&f HTTP/1.1"), "GET /a/b;c=d?e=/?&f a 1 0 keep"},
    {LINE("GET // HTTP/1.1"), "GET // a 1 0 keep"},
    {LINE("GET /%00%zz HTTP/1.1"), "GET /%00%zz a 1 0 keep"}, /* no matter of the reader */
    {LINE("GET /\xc3\xb6 HTTP/1.1"), "GET /\xc3\xb6 a 1 0 keep"},
    {LINE("get / HTTP/1.1"), "get / a 1 0 keep"},
    {LINE("!#$%&'*+-.^_`|~09AZaz / HTTP/1.1"), "!#$%&'*+-.^_`|~09AZaz / a 1 0 keep"},
    {LINE("GET / HTTP/1.0"), "GET / a 0 0 close"},
    {LINE("GET http://b/c HTTP/1.1"), "GET /c b 1 0 keep"},
    {LINE("GET HTTP://b/c HTTP/1.1"), "GET /c b 1 0 keep"},
    {LINE("GET https://b:443/c?d HTTP/1.1"), "GET /c?d b:443 1 0 keep"},
    {LINE("GET http://b HTTP/1.1"), "GET - b 1 0 keep"},
    {LINE("GET http://b:/ HTTP/1.1"), "GET / b: 1 0 keep"},
    {LINE("GET http://b?c@d HTTP/1.1"), "GET ?c@d b 1 0 keep"},
    {LINE("GET http://[2001:db8::1]:80/c HTTP/1.1"), "GET /c [2001:db8::1]:80 1 0 keep"},
    {LINE("OPTIONS * HTTP/1.1"), "OPTIONS * a 1 0 keep"},
    {LINE("OPTIONS /a HTTP/1.1"), "OPTIONS /a a 1 0 keep"},
    {LINE("OPTIONS http://b HTTP/1.1"), "OPTIONS - b 1 0 keep"},
    {LINE("\r\nGET / HTTP/1.1"), "GET / a 1 0 keep"},
};

START_TEST(a_target_is_a_path_an_absolute_url_or_an_asterisk)
{
    check_head(lines[_i].bytes, lines[_i].len, lines[_i].told);
}
END_TEST

static const struct piece wrong_lines[] = {
    {LINE("GET http:// HTTP/1.1")},
    {LINE("GET http:///c HTTP/1.1")},
    {LINE("GET http://:80/ HTTP/1.1")},
    {LINE("GET http://?c HTTP/1.1")},
    {LINE("GET http:/b/c HTTP/1.1")},
    {LINE("GET ftp://b/c HTTP/1.1")},
    {LINE("GET http://user@b/ HTTP/1.1")},
    {LINE("GET http://user:password@b/ HTTP/1.1")},
    {LINE("GET http://b:c/ HTTP/1.1")},
    {LINE("GET http://b:80:80/ HTTP/1.1")},
    {LINE("GET http://[::1/ HTTP/1.1")},
    {LINE("GET http://b\\c/ HTTP/1.1")},
    {LINE("GET http://b\xc3\xb6/ HTTP/1.1")},
    {LINE("GET http://b#c HTTP/1.1")},
    {LINE("GET /a#b HTTP/1.1")},
    {LINE("GET # HTTP/1.1")},
    {LINE("GET a HTTP/1.1")},
    {LINE("GET a:80 HTTP/1.1")},
    {LINE("GET ?a HTTP/1.1")},
    {LINE("GET * HTTP/1.1")},
    {LINE("options * HTTP/1.1")},
    {LINE("OPTIONS ** HTTP/1.1")},
    {LINE("OPTIONS *?a HTTP/1.1")},
    {LINE("CONNECT a:80 HTTP/1.1")}, /* parsers differ about the bytes after it */
    {LINE("CONNECT a HTTP/1.1")},
    {LINE("CONNECT /a HTTP/1.1")},
    {LINE("CONNECT http://a/ HTTP/1.1")},
};

START_TEST(any_other_target_is_refused)
{
    check_head(wrong_lines[_i].bytes, wrong_lines[_i].len, "malformed");
}
END_TEST

static const struct piece wrong_parts[] = {
    {LINE("")},
    {LINE("GET")},
    {LINE("GET ")},
    {LINE("GET /")},
    {LINE("GET / ")},
    {LINE("GET /  ")},
    {LINE("GET  HTTP/1.1")},
    {LINE(" GET / HTTP/1.1")},
    {LINE("\tGET / HTTP/1.1")},
    {LINE("GET  / HTTP/1.1")},
    {LINE("GET /  HTTP/1.1")},
    {LINE("GET / HTTP/1.1 ")},
    {LINE("GET\t/ HTTP/1.1")},
    {LINE("GET /\tHTTP/1.1")},
    {LINE("GET /\t HTTP/1.1")},
    {LINE("GET / a HTTP/1.1")},
    {LINE(" / HTTP/1.1")},
    {LINE("G(T / HTTP/1.1")},
    {LINE("G\xc3T / HTTP/1.1")},
    {LINE("GET:/ HTTP/1.1")},
    {LINE("GET /\x7f HTTP/1.1")},
    {LINE("GET / HTTP/0.9")},
    {LINE("GET / HTTP/1.2")},
    {LINE("GET / HTTP/2.0")},
    {LINE("GET / HTTP/1")},
    {LINE("GET / HTTP/1.")},
    {LINE("GET / HTTP/1.10")},
    {LINE("GET / HTTP/01.1")},
    {LINE("GET / HTTP/1,1")},
    {LINE("GET / http/1.1")},
    {LINE("GET / ICY/1.1")},
    {LINE("GET / HTTPS/1.1")},
    {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
};

START_TEST(a_request_line_is_method_target_and_version_with_one_space_between)
{
    check_head(wrong_parts[_i].bytes, wrong_parts[_i].len, "malformed");
}
END_TEST

START_TEST(one_empty_line_before_a_request_is_ignored)
{
    check_head(BYTES("\r\n"), "unfinished");
    check_head(LINE("\r\nGET / HTTP/1.1"), "GET / a 1 0 keep");
    check_head(BYTES("\r\n\r\n"), "malformed");
    check_head(LINE("\r\n\r\nGET / HTTP/1.1"), "malformed");
    check_head(LINE("\nGET / HTTP/1.1"), "malformed");
    check_head(LINE("\rGET / HTTP/1.1"), "malformed");
    check_head(LINE(" \r\nGET / HTTP/1.1"), "malformed");
}
END_TEST

static const struct piece junk[] = {
    {BYTES("\x16\x03\x01")}, {BYTES("\0")},
    {BYTES("GE\0")},         {BYTES("GET /\t")},
    {BYTES("GET /\x1b[")},   {BYTES("\n")},
    {BYTES("GET\n")},        {BYTES("GET\r /")},
    {BYTES("GET\r\r")},      {BYTES("GET\1/ HTTP/1.1\r\nHost: a\r\n")},
};

START_TEST(a_control_in_a_request_line_is_refused_before_the_head_ends)
{
    check_head(junk[_i].bytes, junk[_i].len, "malformed");
}
END_TEST

/* ---- line ends and other bytes, anywhere in a head */

#define WHOLE "GET /a HTTP/1.1\r\nHost: a\r\nB:  c d\r\n\r\n"

static const char controls[] = {'\0', '\1', '\b', '\n', '\v', '\f', '\r', '\x1f', '\x7f'};

START_TEST(no_byte_can_be_replaced_by_a_bare_cr_or_lf_or_another_control)
{
    char told[TOLD_SIZE];

    for (size_t at = 0; at < sizeof(WHOLE) - 1; at++) {
        char bytes[] = WHOLE "\r\n\r\n"; /* an end even without that of the head */

        if (bytes[at] == controls[_i])
            continue;
        bytes[at] = controls[_i];
        tell_pieces(told, bytes, sizeof(bytes) - 1, sizeof(bytes) - 1, false);
        ck_assert_msg(strcmp(told, "malformed") == 0, "%d at %zu: %s", controls[_i], at, told);
    }
}
END_TEST

START_TEST(no_bare_cr_or_lf_or_other_control_can_be_inserted)
{
    static const char whole[] = WHOLE "\r\n\r\n";
    char bytes[] = WHOLE " \r\n\r\n", told[TOLD_SIZE];

    for (size_t at = 0; at < sizeof(WHOLE) - 2; at++) {
        memcpy(bytes, whole, at);
        bytes[at] = controls[_i];
        memcpy(bytes + at + 1, whole + at, sizeof(bytes) - at - 2);
        tell_pieces(told, bytes, sizeof(bytes) - 1, sizeof(bytes) - 1, false);
        ck_assert_msg(strcmp(told, "malformed") == 0, "%d at %zu: %s", controls[_i], at, told);
    }
}
END_TEST

/* ---- fields (RFC 9112, section 5) */

static const struct reading fields[] = {
    {FIELDS(""), "POST / a 1 0 keep"},
    {FIELDS("A:\r\n"), "POST / a 1 0 keep"},
    {FIELDS("A: \t \r\n"), "POST / a 1 0 keep"},
    {FIELDS("A::\r\n"), "POST / a 1 0 keep"},
    {FIELDS("A:b\tc\r\n"), "POST / a 1 0 keep"},
    {FIELDS("A: \x80\xff\xc3\xb6\r\n"), "POST / a 1 0 keep"},
    {FIELDS("!#$%&'*+-.^_`|~09AZaz: b\r\n"), "POST / a 1 0 keep"},
    {FIELDS("A: b\r\nA: c\r\n"), "POST / a 1 0 keep"},
    {FIELDS("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n"), "POST / a 1 0 keep"},
};

START_TEST(a_field_is_a_token_a_colon_and_text)
{
    check_head(fields[_i].bytes, fields[_i].len, fields[_i].told);
}
END_TEST

static const struct piece wrong_fields[] = {
    {FIELDS(": b\r\n")},
    {FIELDS("A\r\n")},
    {FIELDS("A b\r\n")},
    {FIELDS("A : b\r\n")},
    {FIELDS("A\t: b\r\n")},
    {FIELDS("A b: c\r\n")},
    {FIELDS("(A): b\r\n")},
    {FIELDS("\xc3: b\r\n")},
    {FIELDS("A\0: b\r\n")},
    {FIELDS("A: \0\r\n")},
    {FIELDS("A: b\x7f\r\n")},
    {FIELDS("A: b\x1f\r\n")},
    {FIELDS("A: b\rc\r\n")},
    {FIELDS("A: b\r\r\n")},
    {FIELDS("A: b\n")},
    {FIELDS("A: b\nC: d\r\n")},
    {FIELDS("A: b\r\n c\r\n")}, /* obs-fold */
    {FIELDS("A: b\r\n\tc\r\n")},
    {FIELDS("A: b\r\n \r\n")},
    {FIELDS(CHUNKED " \r\n")},
    {FIELDS("A:\r\n Transfer-Encoding: chunked\r\n")},
    {BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n")},
    {BYTES("GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n")},
};

START_TEST(any_other_field_is_refused)
{
    check_head(wrong_fields[_i].bytes, wrong_fields[_i].len, "malformed");
}
END_TEST

START_TEST(every_field_is_told_in_order_without_white_space_around_its_value)
{
    static const char bytes[] =
        "\r\nPOST http://b/c HTTP/1.1\r\nhost:a\r\nA:\r\nB: \t c d \t\r\nB:e\r\n\r\nmore";
    static const char *const expected[] = {"host", "a", "A", "", "B", "c d", "B", "e"};
    struct request_scan scan = {0};
    struct request_head head;
    size_t head_len;

    ck_assert_int_eq(request_head_scan(&scan, BYTES(bytes), HEAD_MAX, &head_len), REQUEST_NO_FAULT);
    ck_assert_uint_eq(head_len, sizeof(bytes) - sizeof("more"));
    ck_assert_int_eq(request_head_read(&head, bytes, &scan), REQUEST_NO_FAULT);
    ck_assert_uint_eq(head.count, COUNT(expected) / 2);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct request_field *field = &head.fields[i / 2];
        struct request_text text = i % 2 == 0 ? field->name : field->value;

        ck_assert_uint_eq(text.len, strlen(expected[i]));
        ck_assert_mem_eq(bytes + text.at, expected[i], text.len);
    }
}
END_TEST

/* ---- Host (RFC 9112, section 3.2; RFC 3986, section 3.2) */

static const struct reading hosts[] = {
    {HOST("Host: example.com"), "GET / example.com 1 0 keep"},
    {HOST("HOST:example.com:8080"), "GET / example.com:8080 1 0 keep"},
    {HOST("Host:"), "GET / - 1 0 keep"},
    {HOST("Host: a:"), "GET / a: 1 0 keep"},
    {HOST("Host: 192.0.2.1"), "GET / 192.0.2.1 1 0 keep"},
    {HOST("Host: [2001:db8::1]"), "GET / [2001:db8::1] 1 0 keep"},
    {HOST("Host: [::ffff:192.0.2.1]:443"), "GET / [::ffff:192.0.2.1]:443 1 0 keep"},
    {HOST("Host: a_b-c.d~!$&'()*+,;=%41"), "GET / a_b-c.d~!$&'()*+,;=%41 1 0 keep"},
    {BYTES("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / b 1 0 keep"}, /* section 3.2.2 */
    {BYTES("GET / HTTP/1.0\r\n\r\n"), "GET / - 0 0 close"},
    {BYTES("GET http://b/ HTTP/1.0\r\n\r\n"), "GET / b 0 0 close"},
};

START_TEST(a_host_is_a_name_or_an_address_and_perhaps_a_port)
{
    check_head(hosts[_i].bytes, hosts[_i].len, hosts[_i].told);
}
END_TEST

static const struct piece wrong_hosts[] = {
    {HOST("A: b")},
    {HOST("Host: a\r\nHost: a")},
    {HOST("Host: a\r\nhost: b")},
    {HOST("Host:\r\nHost: a")},
    {HOST("Host: a b")},
    {HOST("Host: a, b")},
    {HOST("Host: a/b")},
    {HOST("Host: a\\b")},
    {HOST("Host: a?b")},
    {HOST("Host: a#b")},
    {HOST("Host: user@a")},
    {HOST("Host: \"a\"")},
    {HOST("Host: <a>")},
    {HOST("Host: http://a")},
    {HOST("Host: \xc3\xb6")},
    {HOST("Host: :80")},
    {HOST("Host: a:b")},
    {HOST("Host: a:80:80")},
    {HOST("Host: ::1")},
    {HOST("Host: [::1")},
    {HOST("Host: ::1]")},
    {HOST("Host: []")},
    {HOST("Host: []:80")},
    {HOST("Host: [::1]a")},
    {HOST("Host: [::1]:a")},
    {HOST("Host: a[::1]")},
    {BYTES("GET http://b/ HTTP/1.1\r\n\r\n")},
    {BYTES("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n")},
    {BYTES("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")},
    {BYTES("GET / HTTP/1.0\r\nHost: a b\r\n\r\n")},
};

START_TEST(a_missing_second_or_invalid_host_is_refused)
{
    check_head(wrong_hosts[_i].bytes, wrong_hosts[_i].len, "malformed");
}
END_TEST

/* ---- framing (RFC 9112, section 6; RFC 9110, section 8.6) */

static const struct reading framings[] = {
    {FIELDS("Content-Length: 0\r\n"), "POST / a 1 0 keep"},
    {FIELDS("content-length:5\r\n"), "POST / a 1 5 keep"},
    {FIELDS("Content-Length:   5  \r\n"), "POST / a 1 5 keep"},
    {FIELDS("Content-Length: 0000000000000000000000000000005\r\n"), "POST / a 1 5 keep"},
    {FIELDS("Content-Length: 9223372036854775808\r\n"), "POST / a 1 9223372036854775808 keep"},
    {FIELDS("Content-Length: 18446744073709551615\r\n"), "POST / a 1 18446744073709551615 keep"},
    {FIELDS("Content-Length: 18446744073709551616\r\n"), "POST / a 1 18446744073709551615 keep"},
    {FIELDS("Content-Length: 18446744073709551621\r\n"), "POST / a 1 18446744073709551615 keep"},
    {FIELDS("Content-Length: " TEN("1234567890") "\r\n"), "POST / a 1 18446744073709551615 keep"},
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), "GET / a 1 5 keep"},
    {OLD("Content-Length: 5\r\n"), "POST / - 0 5 close"},
    {FIELDS(CHUNKED), "POST / a 1 chunked keep"},
    {FIELDS("TRANSFER-ENCODING:CHUNKED\r\n"), "POST / a 1 chunked keep"},
    {FIELDS("Transfer-Encoding:   cHUNKeD  \r\n"), "POST / a 1 chunked keep"},
    {FIELDS("TE: gzip\r\nTrailer: Content-Length\r\n"), "POST / a 1 0 keep"},
};

START_TEST(a_body_has_a_length_or_chunks)
{
    check_head(framings[_i].bytes, framings[_i].len, framings[_i].told);
}
END_TEST

static const struct piece wrong_framings[] = {
    {FIELDS("Content-Length:\r\n")},
    {FIELDS("Content-Length: \t\r\n")},
    {FIELDS("Content-Length: +1\r\n")},
    {FIELDS("Content-Length: -1\r\n")},
    {FIELDS("Content-Length: 0x1\r\n")},
    {FIELDS("Content-Length: 1 1\r\n")},
    {FIELDS("Content-Length: 1\t1\r\n")},
    {FIELDS("Content-Length: 1, 1\r\n")},
    {FIELDS("Content-Length: 1,\r\n")},
    {FIELDS("Content-Length: 1;\r\n")},
    {FIELDS("Content-Length: 1.0\r\n")},
    {FIELDS("Content-Length: 1e1\r\n")},
    {FIELDS("Content-Length: 1_0\r\n")},
    {FIELDS("Content-Length: a\r\n")},
    {FIELDS("Content-Length: \"1\"\r\n")},
    {FIELDS("Content-Length: \xb2\r\n")},
    {FIELDS("Content-Length: 1\v\r\n")},
    {FIELDS("Content-Length: \t1\r\n")}, /* a tab is white space, but not to all parsers */
    {FIELDS("Content-Length: 1\t \r\n")},
    {FIELDS("Content-Length: 18446744073709551616a\r\n")},
    {FIELDS("Content-Length: 1\r\nContent-Length: 1\r\n")},
    {FIELDS("Content-Length: 1\r\nContent-Length: 2\r\n")},
    {FIELDS("Content-Length: 0\r\ncontent-length: 0\r\n")},
    {FIELDS("Content-Length: 5\r\n" CHUNKED)},
    {FIELDS(CHUNKED "Content-Length: 5\r\n")},
    {FIELDS(CHUNKED "Content-Length: 0\r\n")},
    {FIELDS(CHUNKED CHUNKED)},
    {FIELDS(CHUNKED "transfer-encoding: identity\r\n")},
    {FIELDS("Transfer-Encoding:\r\n")},
    {FIELDS("Transfer-Encoding: identity\r\n")},
    {FIELDS("Transfer-Encoding: gzip\r\n")},
    {FIELDS("Transfer-Encoding: gzip, chunked\r\n")},
    {FIELDS("Transfer-Encoding: chunked, chunked\r\n")},
    {FIELDS("Transfer-Encoding: chunked, identity\r\n")},
    {FIELDS("Transfer-Encoding: chunked,\r\n")},
    {FIELDS("Transfer-Encoding: , chunked\r\n")},
    {FIELDS("Transfer-Encoding: chunked;q=1\r\n")},
    {FIELDS("Transfer-Encoding: \"chunked\"\r\n")},
    {FIELDS("Transfer-Encoding: xchunked\r\n")},
    {FIELDS("Transfer-Encoding: chunkedx\r\n")},
    {FIELDS("Transfer-Encoding: chunke\r\n")},
    {FIELDS("Transfer-Encoding:\tchunked\r\n")},
    {FIELDS("Transfer-Encoding: chunked \t\r\n")},
    {FIELDS("Transfer-Encoding: chunked\v\r\n")},
    {FIELDS("Transfer-Encoding: \vchunked\r\n")},
    {FIELDS("Transfer-Encoding: chunked\0\r\n")},
    {FIELDS("Transfer-Encoding : chunked\r\n")},
    {FIELDS("Transfer-Encoding:\r\n chunked\r\n")},
    {OLD(CHUNKED)},
    {OLD("Connection: keep-alive\r\n" CHUNKED)},
};

START_TEST(any_other_framing_is_refused)
{
    check_head(wrong_framings[_i].bytes, wrong_framings[_i].len, "malformed");
}
END_TEST

/* ---- Expect (RFC 9110, section 10.1.1) */

static const struct reading expectations[] = {
    {FIELDS(EXPECT), "POST / a 1 0 keep continue"},
    {FIELDS("expect:100-CONTINUE \r\n" CHUNKED), "POST / a 1 chunked keep continue"},
    {FIELDS(EXPECT EXPECT "Content-Length: 5\r\n"), "POST / a 1 5 keep continue"},
    {FIELDS("Expect: 100-continue; a=b\r\n"), "unknown expectation"},
    {FIELDS("Expect: y 100-continue\r\n"), "unknown expectation"},
    {FIELDS("Expect: 200-ok\r\n"), "unknown expectation"},
    {FIELDS("Expect:\r\n"), "unknown expectation"},
    {FIELDS("Expect: 200-ok\r\n" EXPECT), "unknown expectation"},
    {FIELDS(EXPECT "Expect: 200-ok\r\n"), "unknown expectation"},
    {OLD(EXPECT), "POST / - 0 0 close"},
    {OLD("Expect: 200-ok\r\n"), "POST / - 0 0 close"},
    {FIELDS("Expect: 200-ok\r\nContent-Length: a\r\n"), "malformed"},
};

START_TEST(the_one_expectation_is_100_continue_and_http_1_0_has_none)
{
    check_head(expectations[_i].bytes, expectations[_i].len, expectations[_i].told);
}
END_TEST

/* ---- persistence (RFC 9112, section 9.3; RFC 9110, section 7.6.1) */

static const struct reading connections[] = {
    {FIELDS("Connection: close\r\n"), "POST / a 1 0 close"},
    {FIELDS("connection:CLOSE\r\n"), "POST / a 1 0 close"},
    {FIELDS("Connection: keep-alive, close\r\n"), "POST / a 1 0 close"},
    {FIELDS("Connection: , ,\t,close ,,\r\n"), "POST / a 1 0 close"},
    {FIELDS("Connection: a\r\nConnection: b,close,c\r\nConnection: d\r\n"), "POST / a 1 0 close"},
    {FIELDS("Connection: close\r\nConnection: keep-alive\r\n"), "POST / a 1 0 close"},
    {FIELDS("Connection:\r\n"), "POST / a 1 0 keep"},
    {FIELDS("Connection: keep-alive\r\n"), "POST / a 1 0 keep"},
    {FIELDS("Connection: closed, xclose, clos, close;a\r\n"), "POST / a 1 0 keep"},
    {FIELDS("Connection: Upgrade\r\nUpgrade: h2c\r\n"), "POST / a 1 0 keep"},
    {OLD(""), "POST / - 0 0 close"},
    {OLD("Connection: keep-alive\r\n"), "POST / - 0 0 close"},
};

START_TEST(a_connection_persists_in_http_1_1_unless_one_of_its_options_is_close)
{
    check_head(connections[_i].bytes, connections[_i].len, connections[_i].told);
}
END_TEST

/* ---- limits */

static void check_limit(const char *bytes, size_t len, const char *expected)
{
    char told[TOLD_SIZE];

    tell_pieces(told, bytes, len, len, false);
    ck_assert_str_eq(told, expected);
    tell_pieces(told, bytes, len, 0, true);
    ck_assert_str_eq(told, expected);
}

START_TEST(a_head_has_up_to_100_fields)
{
    static const char line[] = "GET / HTTP/1.1\r\nHost: a\r\n", field[] = "A:\r\n";
    char bytes[HEAD_MAX];
    size_t len = sizeof(line) - 1;

    memcpy(bytes, line, len);
    for (int i = 1; i <= REQUEST_FIELDS_MAX; i++) {
        memcpy(bytes + len, "\r\n", 2);
        check_limit(bytes, len + 2, "GET / a 1 0 keep");
        memcpy(bytes + len, field, sizeof(field) - 1);
        len += sizeof(field) - 1;
    }
    memcpy(bytes + len, "\r\n", 2);
    check_limit(bytes, len + 2, "too large");
}
END_TEST

START_TEST(a_head_has_up_to_a_given_number_of_bytes_without_an_empty_line_before_it)
{
    char bytes[HEAD_MAX + 3];

    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, BYTES("\r\nGET / HTTP/1.1\r\nHost: a\r\nA: "));
    memcpy(bytes + HEAD_MAX - 2, BYTES("\r\n\r\n"));
    check_limit(bytes, HEAD_MAX + 2, "GET / a 1 0 keep");
    check_limit(bytes + 2, HEAD_MAX, "GET / a 1 0 keep");
    memcpy(bytes + HEAD_MAX - 2, BYTES("x\r\n\r\n"));
    check_limit(bytes, HEAD_MAX + 3, "too large");
    check_limit(bytes + 2, HEAD_MAX + 1, "too large");
    memset(bytes + HEAD_MAX - 2, 'x', 5);
    check_limit(bytes, HEAD_MAX + 2, "unfinished");
    check_limit(bytes, HEAD_MAX + 3, "too large");
}
END_TEST

/* ---- chunked bodies (RFC 9112, section 7.1) */

/* Decodes a body that arrives in a first piece and then in pieces of `piece` bytes. Writes its
 * data, "unfinished" or "malformed"; returns the bytes taken. */
static size_t tell_body(char *told, const char *bytes, size_t len, size_t first, size_t piece)
{
    struct chunk_reader reader = {.left = 0};
    size_t at = 0, used = 0;

    for (size_t part = first; reader.state != CHUNK_DONE && at < len; part = piece) {
        size_t size = part < len - at ? part : len - at, data, taken;
        char *exact = copy_exactly(bytes + at, size);
        enum request_fault fault = chunk_reader_decode(&reader, exact, size, &data, &taken);

        if (fault == REQUEST_NO_FAULT) {
            memcpy(told + used, exact, data);
            used += data;
            at += taken;
            ck_assert(taken == size || reader.state == CHUNK_DONE);
        }
        free(exact);
        if (fault != REQUEST_NO_FAULT) {
            ck_assert_int_ne(reader.state, CHUNK_DONE);
            tell_fault(told, fault);
            return 0;
        }
    }
    told[used] = '\0';
    if (reader.state != CHUNK_DONE)
        tell_fault(told, REQUEST_NO_FAULT);
    return at;
}

static void check_body(const char *bytes, size_t len, const char *expected, size_t end)
{
    char told[TOLD_SIZE];

    for (size_t cut = 0; cut <= len; cut++) {
        ck_assert_uint_eq(tell_body(told, bytes, len, cut, len), end);
        ck_assert_msg(strcmp(told, expected) == 0, "%s, cut at %zu: %s", bytes, cut, told);
    }
    for (size_t piece = 1; piece <= 3; piece++) {
        ck_assert_uint_eq(tell_body(told, bytes, len, piece, piece), end);
        ck_assert_msg(strcmp(told, expected) == 0, "%s, in pieces: %s", bytes, told);
    }
}

static const struct reading bodies[] = {
    {CHUNKS(""), ""},
    {CHUNKS("5\r\nhello\r\n"), "hello"},
    {CHUNKS("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n"), "abcdef"},
    {CHUNKS("7\r\n0\r\n\r\nab\r\n"), "0\r\n\r\nab"}, /* data are no lines */
    {CHUNKS("a\r\n0123456789\r\n"), "0123456789"},
    {CHUNKS("A\r\n0123456789\r\n"), "0123456789"},
    {CHUNKS("1F\r\n" TEN("abc") "d\r\n"), TEN("abc") "d"},
    {CHUNKS("1f\r\n" TEN("abc") "d\r\n"), TEN("abc") "d"},
    {CHUNKS("005\r\nhello\r\n"), "hello"},
    {CHUNKS("000000000000005\r\nhello\r\n"), "hello"}, /* 15 digits */
    {BYTES("000000000000000\r\n\r\n"), ""},
    {CHUNKS("5;\r\nhello\r\n"), "hello"}, /* extensions are ignored */
    {CHUNKS("5;a\r\nhello\r\n"), "hello"},
    {CHUNKS("5;a=b\r\nhello\r\n"), "hello"},
    {CHUNKS("5;a=\"b;c\"\r\nhello\r\n"), "hello"},
    {CHUNKS("5;a=b;c;d=e\r\nhello\r\n"), "hello"},
    {CHUNKS("5 ;a\r\nhello\r\n"), "hello"},
    {CHUNKS("5\t ; a = b \r\nhello\r\n"), "hello"},
    {CHUNKS("5;a=\xff\r\nhello\r\n"), "hello"},
    {BYTES("0;a=b\r\n\r\n"), ""},
    {TRAILER("A: b"), ""},
    {TRAILER("A:"), ""},
    {TRAILER("A: b\r\nC: \xff\td"), ""},
    {TRAILER("Content-Length: 5\r\nTransfer-Encoding: chunked"), ""},
};

START_TEST(a_body_is_its_chunks_without_their_extensions_and_trailers)
{
    check_body(bodies[_i].bytes, bodies[_i].len, bodies[_i].told, bodies[_i].len);
}
END_TEST

START_TEST(the_bytes_after_a_body_are_not_taken)
{
    static const char next[] = "0\r\n\r\nGET / HTTP/1.1\r\n";
    char bytes[256];

    memcpy(bytes, bodies[_i].bytes, bodies[_i].len);
    memcpy(bytes + bodies[_i].len, next, sizeof(next));
    for (size_t surplus = 1; surplus < sizeof(next); surplus++)
        check_body(bytes, bodies[_i].len + surplus, bodies[_i].told, bodies[_i].len);
}
END_TEST

START_TEST(a_body_that_has_not_ended_is_unfinished)
{
    char told[TOLD_SIZE];

    for (size_t len = 0; len < bodies[_i].len; len++) {
        ck_assert_uint_eq(tell_body(told, bodies[_i].bytes, len, len, len), len);
        ck_assert_str_eq(told, "unfinished");
    }
}
END_TEST

static const struct piece wrong_bodies[] = {
    {CHUNKS("\r\n")},
    {CHUNKS(";a\r\n")},
    {CHUNKS(" 5\r\nhello\r\n")},
    {CHUNKS("+5\r\nhello\r\n")},
    {CHUNKS("-5\r\nhello\r\n")},
    {CHUNKS("0x5\r\nhello\r\n")},
    {CHUNKS("0x10\r\n0123456789abcdef\r\n")},
    {CHUNKS("g\r\n")},
    {CHUNKS("5g\r\nhello\r\n")},
    {CHUNKS("5.\r\nhello\r\n")},
    {CHUNKS("5,5\r\nhello\r\n")},
    {CHUNKS("5_0\r\nhello\r\n")},
    {CHUNKS("\xb5\r\nhello\r\n")},
    {CHUNKS("5\0\r\nhello\r\n")},
    {CHUNKS("5\v\r\nhello\r\n")},
    {CHUNKS("5 \r\nhello\r\n")}, /* white space that no extension follows */
    {CHUNKS("5\t\r\nhello\r\n")},
    {CHUNKS("5 5\r\nhello\r\n")},
    {CHUNKS("0000000000000005\r\nhello\r\n")}, /* 16 digits */
    {CHUNKS("10000000000000005\r\nhello\r\n")},
    {CHUNKS("ffffffffffffffff\r\nhello\r\n")},
    {BYTES("0000000000000000\r\n\r\n")},
    {BYTES("0 GARBAGE\r\n\r\n")},
    {BYTES("0GARBAGE\r\n\r\n")},
    {BYTES("0 \r\n\r\n")},
    {BYTES("0\n\r\n")},
    {BYTES("0\n\n")},
    {BYTES("0\r\n\n")},
    {BYTES("0\r\r\n\r\n")},
    {BYTES("0\r\n\r\r\n")},
    {BYTES("0\rX\n\r\n")},
    {CHUNKS("5\nhello\r\n")},
    {CHUNKS("5\rhello\r\n")},
    {CHUNKS("5\r\nhello\n")},
    {CHUNKS("5\r\nhello\r")},
    {CHUNKS("5\r\nhello")},
    {CHUNKS("5\r\nhelloX\r\n")},
    {CHUNKS("5\r\nhello\rX")},
    {CHUNKS("5\r\nhelloXX")},
    {CHUNKS("5\r\nhell\r\n")},
    {CHUNKS("5;a\nhello\r\n")},
    {CHUNKS("5;a\r\r\nhello\r\n")},
    {CHUNKS("5;a\rb\r\nhello\r\n")},
    {CHUNKS("5;\nhello\r\n")},
    {CHUNKS("5;a=\"\n\"\r\nhello\r\n")},
    {CHUNKS("5;a=\"\r\n\"\r\nhello\r\n")},
    {CHUNKS("5;\0\r\nhello\r\n")},
    {CHUNKS("5;\x7f\r\nhello\r\n")},
    {CHUNKS("5;a\r\n hello\r\n")},
    {TRAILER("A")},
    {TRAILER("A b")},
    {TRAILER("A : b")},
    {TRAILER(": b")},
    {TRAILER(" A: b")},
    {TRAILER("A: b\r\n c")},
    {TRAILER("A: b\nC: d")},
    {TRAILER("A: b\rC: d")},
    {TRAILER("A: \0")},
    {TRAILER("A: \x7f")},
    {TRAILER("A\r\nB: c")},
    {TRAILER("GET / HTTP/1.1\r\nHost: a")},
};

START_TEST(anything_else_in_a_chunked_body_is_refused)
{
    check_body(wrong_bodies[_i].bytes, wrong_bodies[_i].len, "malformed", 0);
}
END_TEST

START_TEST(a_size_of_15_digits_is_exact)
{
    struct chunk_reader reader = {.left = 0};
    char bytes[] = "fffffffffffffff\r\nab";
    size_t data, taken;

    ck_assert_int_eq(chunk_reader_decode(&reader, bytes, sizeof(bytes) - 1, &data, &taken),
                     REQUEST_NO_FAULT);
    ck_assert_uint_eq(data, 2);
    ck_assert(reader.left == 0xfffffffffffffff - 2);
}
END_TEST

static const struct {
    const char *before, *after;
    size_t counted; /* besides the filling */
} fillings[] = {
    {"1;", "\r\nA\r\n0\r\n\r\n", 2}, {"1;a;", "\r\nA\r\n2;b\r\nBC\r\n0\r\n\r\n", 6},
    {"0\r\nA:", "\r\n\r\n", 4},      {"1;a\r\nA\r\n0\r\nB: c\r\nD:", "\r\n\r\n", 11},
    {"0\r\n", ":\r\n\r\n", 3},
};

START_TEST(extensions_and_trailers_have_up_to_16_KiB_together)
{
    size_t before = strlen(fillings[_i].before), after = strlen(fillings[_i].after);
    size_t filling = CHUNK_EXTRA_MAX - fillings[_i].counted, len = before + filling + after;
    char *bytes = malloc(len + 1), told[TOLD_SIZE];

    for (size_t more = 0; more < 2; more++) {
        memset(bytes, 'x', len + 1);
        memcpy(bytes, fillings[_i].before, before);
        memcpy(bytes + before + filling + more, fillings[_i].after, after);
        for (size_t piece = 1; piece <= len + 1; piece += len)
            ck_assert_uint_eq(tell_body(told, bytes, len + more, piece, piece),
                              more == 0 ? len : 0);
        ck_assert_int_eq(strcmp(told, "malformed") == 0, more == 1);
    }
    free(bytes);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("request_reader");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, a_target_is_a_path_an_absolute_url_or_an_asterisk, 0, COUNT(lines));
    tcase_add_loop_test(tc, any_other_target_is_refused, 0, COUNT(wrong_lines));
    tcase_add_loop_test(tc, a_request_line_is_method_target_and_version_with_one_space_between, 0,
                        COUNT(wrong_parts));
    tcase_add_test(tc, one_empty_line_before_a_request_is_ignored);
    tcase_add_loop_test(tc, a_control_in_a_request_line_is_refused_before_the_head_ends, 0,
                        COUNT(junk));
    tcase_add_loop_test(tc, no_byte_can_be_replaced_by_a_bare_cr_or_lf_or_another_control, 0,
                        COUNT(controls));
    tcase_add_loop_test(tc, no_bare_cr_or_lf_or_other_control_can_be_inserted, 0, COUNT(controls));
    tcase_add_loop_test(tc, a_field_is_a_token_a_colon_and_text, 0, COUNT(fields));
    tcase_add_loop_test(tc, any_other_field_is_refused, 0, COUNT(wrong_fields));
    tcase_add_test(tc, every_field_is_told_in_order_without_white_space_around_its_value);
    tcase_add_loop_test(tc, a_host_is_a_name_or_an_address_and_perhaps_a_port, 0, COUNT(hosts));
    tcase_add_loop_test(tc, a_missing_second_or_invalid_host_is_refused, 0, COUNT(wrong_hosts));
    tcase_add_loop_test(tc, a_body_has_a_length_or_chunks, 0, COUNT(framings));
    tcase_add_loop_test(tc, any_other_framing_is_refused, 0, COUNT(wrong_framings));
    tcase_add_loop_test(tc, the_one_expectation_is_100_continue_and_http_1_0_has_none, 0,
                        COUNT(expectations));
    tcase_add_loop_test(tc, a_connection_persists_in_http_1_1_unless_one_of_its_options_is_close, 0,
                        COUNT(connections));
    tcase_add_test(tc, a_head_has_up_to_100_fields);
    tcase_add_test(tc, a_head_has_up_to_a_given_number_of_bytes_without_an_empty_line_before_it);
    tcase_add_loop_test(tc, a_body_is_its_chunks_without_their_extensions_and_trailers, 0,
                        COUNT(bodies));
    tcase_add_loop_test(tc, the_bytes_after_a_body_are_not_taken, 0, COUNT(bodies));
    tcase_add_loop_test(tc, a_body_that_has_not_ended_is_unfinished, 0, COUNT(bodies));
    tcase_add_loop_test(tc, anything_else_in_a_chunked_body_is_refused, 0, COUNT(wrong_bodies));
    tcase_add_test(tc, a_size_of_15_digits_is_exact);
    tcase_add_loop_test(tc, extensions_and_trailers_have_up_to_16_KiB_together, 0, COUNT(fillings));
    suite_add_tcase(s, tc);
    return s;
}
