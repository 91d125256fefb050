/* SPDX-License-Identifier: MIT
 *
 * A change of any bit in the signed content, the signature or the headers is rejected.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

static struct delivery d;

static void drop(void)
{
    delivery_free(&d);
}

/* Only the case of a hex digit does not change the signature. */
static int is_other_case_of_hex(char before, int bit)
{
    return isxdigit((unsigned char)before) && isalpha((unsigned char)before) && bit == 5;
}

/* Flips each bit of `text` in turn; only `harmless` flips may be accepted. */
static void flip_each_bit(char *text, size_t len, int (*harmless)(char before, int bit))
{
    for (size_t i = 0; i < 8 * len; i++) {
        int expected = harmless != NULL && harmless(text[i / 8], (int)(i % 8)), accepted;

        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        accepted = hookline_accepted(verify(&d));
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        ck_assert_msg(accepted == expected, "byte %zu, bit %zu", i / 8, i % 8);
    }
    ck_assert_str_eq(verdict(&d), "verified");
}

static const struct {
    const char *scheme, *signature, *timestamp, *id;
    int hex;
} schemes[] = {
    {"foil", "X-Foil-Signature", "X-Foil-Timestamp", NULL, 1},
    {"shodai", "X-Shodai-Webhook-Signature", "X-Shodai-Webhook-Timestamp", "X-Shodai-Webhook-Id",
     1},
    {"trulayer", "X-TruLayer-Signature", NULL, NULL, 1},
    {"standard", "webhook-signature", "webhook-timestamp", "webhook-id", 0},
    {"stripe", "Stripe-Signature", NULL, NULL, 1},
};

static void flip_each_bit_of_header(const char *name, size_t skip,
                                    int (*harmless)(char before, int bit))
{
    hookline_bytes value = find_header(&d, name)->value;

    flip_each_bit((char *)value.base + skip, value.len - skip, harmless);
}

START_TEST(a_bit_of_the_body_changed_is_a_mismatch)
{
    deliver(&d, schemes[_i].scheme);
    for (size_t i = 0; i < 8 * strlen(BODY); i++) {
        d.body[i / 8] = (char)(d.body[i / 8] ^ 1 << i % 8);
        ck_assert_str_eq(verdict(&d), "signature_mismatch");
        d.body[i / 8] = (char)(d.body[i / 8] ^ 1 << i % 8);
    }
}
END_TEST

START_TEST(a_bit_of_the_signature_changed_is_refused_but_for_the_case_of_hex_digits)
{
    size_t len;

    deliver(&d, schemes[_i].scheme);
    len = find_header(&d, schemes[_i].signature)->value.len;
    flip_each_bit_of_header(schemes[_i].signature, schemes[_i].hex ? len - 64 : 0,
                            schemes[_i].hex ? is_other_case_of_hex : NULL);
}
END_TEST

START_TEST(a_bit_of_what_stands_before_the_signature_changed_is_refused)
{
    hookline_bytes value;

    deliver(&d, schemes[_i].scheme);
    value = find_header(&d, schemes[_i].signature)->value;
    flip_each_bit((char *)value.base, schemes[_i].hex ? value.len - 64 : 3, NULL);
}
END_TEST

START_TEST(a_bit_of_the_timestamp_changed_is_refused)
{
    deliver(&d, schemes[_i].scheme);
    if (schemes[_i].timestamp != NULL)
        flip_each_bit_of_header(schemes[_i].timestamp, 0, NULL);
}
END_TEST

START_TEST(a_bit_of_the_id_changed_is_refused)
{
    deliver(&d, schemes[_i].scheme);
    if (schemes[_i].id != NULL)
        flip_each_bit_of_header(schemes[_i].id, 0, NULL);
}
END_TEST

START_TEST(no_beginning_of_the_signature_is_accepted)
{
    hookline_header *header;

    deliver(&d, schemes[_i].scheme);
    header = find_header(&d, schemes[_i].signature);
    while (header->value.len-- > 0)
        ck_assert(!hookline_accepted(verify(&d)));
}
END_TEST

START_TEST(no_beginning_of_the_body_is_accepted)
{
    deliver(&d, schemes[_i].scheme);
    while (d.req.body.len-- > 0)
        ck_assert_str_eq(verdict(&d), "signature_mismatch");
}
END_TEST

START_TEST(nothing_but_a_blank_may_stand_behind_the_signature)
{
    hookline_header *header;

    deliver(&d, schemes[_i].scheme);
    header = find_header(&d, schemes[_i].signature);
    header->value.len++;
    for (int c = 0; c < 256; c++) {
        d.value[header - d.header][header->value.len - 1] = (char)c;
        ck_assert_msg(!hookline_accepted(verify(&d)) || c == ' ' || c == '\t', "%d", c);
    }
}
END_TEST

/* The same bytes with another border between the parts must not verify. */
static const struct {
    const char *timestamp, *body;
} moved[] = {
    {"1800000000.", "{}"},
    {"1800000000.{", "}"},
    {"180000000", "0.{}"},
    {"1800000000.{}", ""},
};

START_TEST(the_border_between_time_and_body_cannot_be_moved)
{
    deliver(&d, "foil");
    set_body(&d, "{}");
    sign_again(&d);
    set_header(&d, "X-Foil-Timestamp", moved[_i].timestamp);
    set_body(&d, moved[_i].body);
    ck_assert(!hookline_accepted(verify(&d)));
}
END_TEST

static const struct {
    const char *description, *header, *value;
    int code;
} joints[] = {
    {"id header I; content {id}-:{body}", "I", "a:b", 0},
    {"content {header:A}-:{body}", "A", "a:b", 0},
    {"id header I; content {id}-:{body}", "I", "-ab", HOOKLINE_BAD_ID},
    {"content {header:A}-:{body}", "A", "-ab", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {id}-:{body}", "I", "a-b", HOOKLINE_BAD_ID},
    {"content {header:A}-:{body}", "A", "a-b", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {id}-:{body}", "I", "ab-", HOOKLINE_BAD_ID},
    {"content {header:A}-:{body}", "A", "ab-", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {id}-:{body}", "I", "-", HOOKLINE_BAD_ID},
    {"content {header:A}-:{body}", "A", "-", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content .{id}-{body}", "I", ".a.", 0},
    {"content .{header:A}-{body}", "A", ".a.", 0},
    {"id header I; content .{id}-{body}", "I", "a-", HOOKLINE_BAD_ID},
    {"content .{header:A}-{body}", "A", "a-", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {body}:-{id}", "I", "a:b", 0},
    {"content {body}:-{header:A}", "A", "a:b", 0},
    {"id header I; content {body}:-{id}", "I", "-ab", HOOKLINE_BAD_ID},
    {"content {body}:-{header:A}", "A", "-ab", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {body}:-{id}", "I", "a-b", HOOKLINE_BAD_ID},
    {"content {body}:-{header:A}", "A", "a-b", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {body}:-{id}", "I", "ab-", HOOKLINE_BAD_ID},
    {"content {body}:-{header:A}", "A", "ab-", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; content {body}-{id}.", "I", ".a.", 0},
    {"content {body}-{header:A}.", "A", ".a.", 0},
    {"id header I; content {body}-{id}.", "I", "-a", HOOKLINE_BAD_ID},
    {"content {body}-{header:A}.", "A", "-a", HOOKLINE_AMBIGUOUS_HEADER},
    {"id header I; timestamp header T rfc3339; content {id}{timestamp}{body}", "I", "ab-c_d", 0},
    {"id header I; timestamp header T rfc3339; content {id}{timestamp}{body}", "I", ":ab",
     HOOKLINE_BAD_ID},
    {"id header I; timestamp header T rfc3339; content {id}{timestamp}{body}", "I",
     "ab:", HOOKLINE_BAD_ID},
    {"id header I; timestamp header T rfc3339; content {body}{timestamp}{id}", "I", "ab-c_d", 0},
    {"id header I; timestamp header T rfc3339; content {body}{timestamp}{id}", "I", ":ab",
     HOOKLINE_BAD_ID},
    {"id header I; timestamp header T rfc3339; content {body}{timestamp}{id}", "I",
     "ab:", HOOKLINE_BAD_ID},
};

START_TEST(an_id_or_header_must_not_contain_the_character_that_ends_it)
{
    char description[128], zeros[65];
    hookline_bytes value = {joints[_i].value, strlen(joints[_i].value)};
    hookline_signature s;

    d = (struct delivery){.now = NOW, .req.find_header = hookline_find_in_list};
    d.list.entries = d.header;
    d.req.headers = &d.list;
    set_body(&d, BODY);
    snprintf(description, sizeof(description), "signature S; encoding hex; %s",
             joints[_i].description);
    ck_assert_int_eq(hookline_verifier_new_custom(&d.v, description, SECRET, NULL, 0), 0);
    set_header(&d, joints[_i].header, joints[_i].value);
    ck_assert_int_eq(hookline_sign(d.v, &d.req, value, NOW, &s), joints[_i].code);

    memset(zeros, '0', 64);
    zeros[64] = '\0';
    set_header(&d, "S", zeros);
    set_header(&d, "T", "2027-01-15T08:00:00Z");
    ck_assert_int_eq(verify(&d).reason, joints[_i].code == 0 ? HOOKLINE_MISMATCH : joints[_i].code);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("tamper");
    TCase *tc = tcase_create("bits");

    tcase_add_checked_fixture(tc, NULL, drop);
    tcase_add_loop_test(tc, a_bit_of_the_body_changed_is_a_mismatch, 0, COUNT(schemes));
    tcase_add_loop_test(tc,
                        a_bit_of_the_signature_changed_is_refused_but_for_the_case_of_hex_digits, 0,
                        COUNT(schemes));
    tcase_add_loop_test(tc, a_bit_of_what_stands_before_the_signature_changed_is_refused, 0,
                        COUNT(schemes));
    tcase_add_loop_test(tc, a_bit_of_the_timestamp_changed_is_refused, 0, COUNT(schemes));
    tcase_add_loop_test(tc, a_bit_of_the_id_changed_is_refused, 0, COUNT(schemes));
    tcase_add_loop_test(tc, no_beginning_of_the_signature_is_accepted, 0, COUNT(schemes));
    tcase_add_loop_test(tc, no_beginning_of_the_body_is_accepted, 0, COUNT(schemes));
    tcase_add_loop_test(tc, nothing_but_a_blank_may_stand_behind_the_signature, 0, COUNT(schemes));
    tcase_add_loop_test(tc, the_border_between_time_and_body_cannot_be_moved, 0, COUNT(moved));
    tcase_add_loop_test(tc, an_id_or_header_must_not_contain_the_character_that_ends_it, 0,
                        COUNT(joints));
    suite_add_tcase(s, tc);
    return s;
}
