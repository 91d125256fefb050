/* SPDX-License-Identifier: MIT
 *
 * Accepted descriptions, rejected ones and their messages.
 */
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "tests/lib/delivery.h"
#include "tests/run.h"

static hookline_verifier *v;
static char why[256];

static void drop(void)
{
    hookline_verifier_free(&v);
}

static int make(const char *description)
{
    why[0] = '\0';
    return hookline_verifier_new_custom(&v, description, SECRET, why, sizeof(why));
}

/* ---- the built-in schemes */

START_TEST(every_built_in_scheme_can_be_used)
{
    ck_assert_int_eq(hookline_verifier_new(&v, hookline_scheme_at((size_t)_i)->name, SECRET), 0);
}
END_TEST

START_TEST(every_built_in_scheme_is_written_in_the_public_language)
{
    ck_assert_msg(make(hookline_scheme_at((size_t)_i)->description) == 0, "%s", why);
}
END_TEST

START_TEST(every_built_in_scheme_is_found_by_its_name_and_by_no_other)
{
    const hookline_scheme *scheme = hookline_scheme_at((size_t)_i);

    ck_assert_ptr_eq(hookline_scheme_find(scheme->name), scheme);
}
END_TEST

START_TEST(every_built_in_scheme_says_who_it_is)
{
    const hookline_scheme *scheme = hookline_scheme_at((size_t)_i);

    ck_assert(strlen(scheme->title) > 0 && strlen(scheme->description) > 0);
    ck_assert_int_eq(strncmp(scheme->documentation, "https://", 8), 0);
}
END_TEST

START_TEST(behind_the_last_scheme_there_is_none)
{
    ck_assert_ptr_null(hookline_scheme_at(count_schemes()));
    ck_assert_ptr_null(hookline_scheme_at(SIZE_MAX));
}
END_TEST

static const char *const no_names[] = {NULL, "", "FOIL", "foil ", "stripe;", SECRET};

START_TEST(a_name_that_no_scheme_has_finds_none)
{
    ck_assert_ptr_null(hookline_scheme_find(no_names[_i]));
    ck_assert_int_lt(hookline_verifier_new(&v, no_names[_i], SECRET), 0);
    ck_assert_ptr_null(v);
}
END_TEST

START_TEST(a_scheme_and_a_secret_in_the_wrong_order_are_refused)
{
    ck_assert_int_eq(hookline_verifier_new(&v, SECRET, "foil"), HOOKLINE_BAD_SCHEME);
    ck_assert_ptr_null(v);
}
END_TEST

/* ---- the grammar */

#define S             "signature X; encoding hex; content {body}; "
#define HEADER_USAGE  "HEADER[|HEADER] [also HEADER]"
#define LIST_USAGE    "none, tagged TAG, pairs comma|semicolon KEY or bare"
#define CONTENT_USAGE "TEXT with {timestamp} {id} {body} {method} {url} {header:NAME}"
#define TIME_USAGE                                                                                 \
    "header NAME[|NAME] UNIT, pair KEY UNIT or body PATH UNIT [optional], where UNIT is "          \
    "seconds, milliseconds, rfc3339 or any"
#define ID_USAGE        "header NAME[|NAME] [equals PATH] or body PATH"
#define SECRET_USAGE    "text, base64 [PREFIX] or hex"
#define TOLERANCE_USAGE "SECONDS, at most 86400"
#define EVENT_USAGE     "type PATH, created PATH or test TYPE..."
#define KEYWORDS                                                                                   \
    "signature, list, prefix, encoding, content, timestamp, id, delivery, secret, tolerance, "     \
    "payload or event"

static const struct {
    const char *description, *why;
} ungrammatical[] = {
    {"hello", "clause 1 (unknown): expected " KEYWORDS},
    {"signature X; Encoding hex", "clause 2 (unknown): expected " KEYWORDS},
    {"signature X;\nhello", "clause 3 (unknown): expected " KEYWORDS},
    {"event test a b c d e f g", "clause 1 (unknown): expected at most 8 words"},
    {"event test a b c d e f", "clause 1 (event): expected " EVENT_USAGE},
    {"signature X; signature Y", "clause 2 (signature): expected once per description"},
    {S "content {body}", "clause 4 (content): expected once per description"},
    {"list none; list none", "clause 2 (list): expected once per description"},
    {"prefix a; prefix a", "clause 2 (prefix): expected once per description"},
    {"encoding hex; encoding hex", "clause 2 (encoding): expected once per description"},
    {"timestamp pair t any; timestamp pair t any",
     "clause 2 (timestamp): expected once per description"},
    {"id body a; id body a", "clause 2 (id): expected once per description"},
    {"secret hex; secret hex", "clause 2 (secret): expected once per description"},
    {"tolerance 1; tolerance 1", "clause 2 (tolerance): expected once per description"},
    {"payload json; payload json", "clause 2 (payload): expected once per description"},
    {"signature", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X:", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X|", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature |X", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X|Y|Z", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X Y", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X also", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X also Y Z", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X and Y", "clause 1 (signature): expected " HEADER_USAGE},
    {"signature X also \"Y\"", "clause 1 (signature): expected " HEADER_USAGE},
    {"list", "clause 1 (list): expected " LIST_USAGE},
    {"list tagged", "clause 1 (list): expected " LIST_USAGE},
    {"list pairs v1", "clause 1 (list): expected " LIST_USAGE},
    {"list pairs dot v1", "clause 1 (list): expected " LIST_USAGE},
    {"list bare v1", "clause 1 (list): expected " LIST_USAGE},
    {"prefix", "clause 1 (prefix): expected [whole] TEXT"},
    {"prefix a b", "clause 1 (prefix): expected [whole] TEXT"},
    {"prefix whole a b", "clause 1 (prefix): expected [whole] TEXT"},
    {"encoding", "clause 1 (encoding): expected hex, base64 or base64url"},
    {"encoding text", "clause 1 (encoding): expected hex, base64 or base64url"},
    {"encoding HEX", "clause 1 (encoding): expected hex, base64 or base64url"},
    {"encoding hex base64", "clause 1 (encoding): expected hex, base64 or base64url"},
    {"content", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {body} {id}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {body", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {Body}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {header:}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {header:a:b}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {header}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {headers-A}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content {whatever}", "clause 1 (content): expected " CONTENT_USAGE},
    {"content a{body}a{url}a{url}a{url}a{url}a{url}a{url}a", "clause 1 (content): expected "
                                                             "at most 12 parts"},
    {"timestamp", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp header T", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp header T: seconds", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp header T minutes", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp header T seconds optional", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp pair t", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp body t seconds maybe", "clause 1 (timestamp): expected " TIME_USAGE},
    {"timestamp url t seconds", "clause 1 (timestamp): expected " TIME_USAGE},
    {"signature X|Y; timestamp header T seconds", "clause 2 (timestamp): expected " TIME_USAGE},
    {"id", "clause 1 (id): expected " ID_USAGE},
    {"id header", "clause 1 (id): expected " ID_USAGE},
    {"id header I equals", "clause 1 (id): expected " ID_USAGE},
    {"id header I is id", "clause 1 (id): expected " ID_USAGE},
    {"id header I,J", "clause 1 (id): expected " ID_USAGE},
    {"id body", "clause 1 (id): expected " ID_USAGE},
    {"id body a b", "clause 1 (id): expected " ID_USAGE},
    {"signature X|Y; id header I", "clause 2 (id): expected " ID_USAGE},
    {"delivery", "clause 1 (delivery): expected HEADER[|HEADER]"},
    {"delivery A B", "clause 1 (delivery): expected HEADER[|HEADER]"},
    {S "delivery A|B", "clause 4 (delivery): expected HEADER[|HEADER]"},
    {S "delivery A; delivery B", "clause 5 (delivery): expected once per description"},
    {"secret", "clause 1 (secret): expected " SECRET_USAGE},
    {"secret base64url", "clause 1 (secret): expected " SECRET_USAGE},
    {"secret rot13", "clause 1 (secret): expected " SECRET_USAGE},
    {"secret text whsec_", "clause 1 (secret): expected " SECRET_USAGE},
    {"secret hex 0x", "clause 1 (secret): expected " SECRET_USAGE},
    {"secret base64 a b", "clause 1 (secret): expected " SECRET_USAGE},
    {"tolerance", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"tolerance -1", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"tolerance 86401", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"tolerance 300s", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"tolerance 99999999999999999999", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"tolerance 1 2", "clause 1 (tolerance): expected " TOLERANCE_USAGE},
    {"payload", "clause 1 (payload): expected json"},
    {"payload xml", "clause 1 (payload): expected json"},
    {"payload json now", "clause 1 (payload): expected json"},
    {"event", "clause 1 (event): expected " EVENT_USAGE},
    {"event type", "clause 1 (event): expected " EVENT_USAGE},
    {"event type a b", "clause 1 (event): expected " EVENT_USAGE},
    {"event name a", "clause 1 (event): expected " EVENT_USAGE},
    {"event test", "clause 1 (event): expected " EVENT_USAGE},
    {"event test a b c d e", "clause 1 (event): expected " EVENT_USAGE},
};

START_TEST(a_clause_that_cannot_be_read_is_refused_with_what_is_expected)
{
    ck_assert_int_eq(make(ungrammatical[_i].description), HOOKLINE_BAD_SCHEME);
    ck_assert_str_eq(why, ungrammatical[_i].why);
    ck_assert_ptr_null(v);
}
END_TEST

/* ---- the rules of scheme_danger.c */

static const struct {
    const char *description, *why;
} dangerous[] = {
    {"", "no signature clause: add signature HEADER"},
    {"encoding hex; content {body}", "no signature clause: add signature HEADER"},
    {"encoding hex; timestamp header T seconds; content {timestamp}.{body}",
     "no signature clause: add signature HEADER"},
    {"signature X; content {body}", "no encoding clause: add encoding hex, base64 or base64url"},
    {"signature X|Y also Z; encoding hex; content {body}",
     "signature: also HEADER cannot be combined with alternative names"},
    {S "list tagged v,1", "list: the tag or key must not contain , ; or ="},
    {S "list pairs comma v=1", "list: the tag or key must not contain , ; or ="},
    {S "list tagged a-tag-of-more-than-thirty-two-bytes",
     "prefix, tag and keys must be at most 32 bytes"},
    {S "list tagged a-tag-of-just-thirty-three-bytes-",
     "prefix, tag and keys must be at most 32 bytes"},
    {S "prefix a-prefix-of-just-thirty-three-byte",
     "prefix, tag and keys must be at most 32 bytes"},
    {"signature X; encoding hex; list pairs comma v; content {timestamp}.{body}; "
     "timestamp pair a-key-of-just-thirty-three-bytes- seconds",
     "prefix, tag and keys must be at most 32 bytes"},
    {S "prefix whole v0=", "prefix whole requires list bare"},
    {S "list tagged v1; prefix whole v0=", "prefix whole requires list bare"},
    {"signature X; encoding hex", "no content clause: add one, such as content {timestamp}.{body}"},
    {S "list bare; prefix a,b", "prefix must not contain the separator of the list"},
    {S "list pairs semicolon v1; timestamp pair t= seconds",
     "timestamp: the key must not contain , ; or ="},
    {S "timestamp body t any; id header X equals id",
     "a header is named twice: each header has one role"},
    {"signature X also x; encoding hex; content {body}",
     "a header is named twice: each header has one role"},
    {"signature X|x; encoding hex; content {body}",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; timestamp header X seconds; content {timestamp}.{body}",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; content {header:A}.{header:a}.{body}",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; content {body}; delivery x",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; content {header:A}.{body}; delivery A",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; id header I; content {id}.{body}; delivery I",
     "a header is named twice: each header has one role"},
    {"signature X; encoding hex; content {url}",
     "content must contain {body} exactly once, or the body is not signed"},
    {"signature X; encoding hex; content {body}{body}",
     "content must contain {body} exactly once, or the body is not signed"},
    {"signature X; encoding hex; timestamp header T seconds; content {timestamp}{timestamp}{body}",
     "content must contain {timestamp} and {id} at most once"},
    {"signature X; encoding hex; id header I; content {id}.{id}.{body}",
     "content must contain {timestamp} and {id} at most once"},
    {"signature X; encoding hex; id header I; content {id}{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; content {body}{header:A}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; content {header:A}{header:B}.{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; id header I; content {id}{method}{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; id header I; timestamp header T seconds; "
     "content {id}{timestamp}{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; timestamp header T any; content {timestamp}{body}",
     "content must separate a {timestamp} of unit any from adjacent digits"},
    {"signature X; encoding hex; id header I; timestamp header T any; "
     "content {id}{timestamp}.{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; id header I; content {id}{method}_{body}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; id header I; timestamp header T seconds; "
     "content {body}-{timestamp}{id}",
     "content must separate {id} and {header:...} from the next part on the side of {body}: by "
     "text, {url} or a {timestamp} of unit rfc3339"},
    {"signature X; encoding hex; timestamp header T any; content {timestamp}9.{body}",
     "content must separate a {timestamp} of unit any from adjacent digits"},
    {"signature X; encoding hex; timestamp header T any; content {timestamp}0.{body}",
     "content must separate a {timestamp} of unit any from adjacent digits"},
    {"signature X; encoding hex; timestamp header T any; content {body}.0{timestamp}",
     "content must separate a {timestamp} of unit any from adjacent digits"},
    {"signature X; encoding hex; content {timestamp}.{body}",
     "content contains {timestamp}: add a timestamp clause"},
    {"signature X; encoding hex; timestamp body t any; content {timestamp}.{body}",
     "a timestamp in the body is already signed: remove {timestamp} from content"},
    {"signature X; encoding hex; timestamp pair t seconds; content {timestamp}.{body}",
     "timestamp pair requires list pairs"},
    {"signature X; encoding hex; list pairs comma t; timestamp pair t seconds; "
     "content {timestamp}.{body}",
     "timestamp and signature must have different keys"},
    {S "timestamp header T seconds",
     "the timestamp is not in content, so anyone could change it: add {timestamp}"},
    {S "list pairs comma v1; timestamp pair t seconds",
     "the timestamp is not in content, so anyone could change it: add {timestamp}"},
    {"signature X; encoding hex; content {id}.{body}",
     "content contains {id}: define it with id header NAME"},
    {"signature X; encoding hex; id body id; content {id}.{body}",
     "content contains {id}: define it with id header NAME"},
    {S "id header I", "the id is not in content, so anyone could change it: add {id} to content, "
                      "or equals PATH to the id clause"},
};

START_TEST(a_description_that_would_let_somebody_forge_is_refused_with_the_reason)
{
    ck_assert_int_eq(make(dangerous[_i].description), HOOKLINE_BAD_SCHEME);
    ck_assert_str_eq(why, dangerous[_i].why);
    ck_assert_ptr_null(v);
}
END_TEST

static const char *const good[] = {
    "signature X;encoding hex;content {body}",
    "signature X\nencoding hex\ncontent {body}\n",
    ";;\n; signature\tX ;\r\n encoding   hex ; content {body}\r\n",
    S "list none",
    S "secret text",
    S "secret base64 whsec_",
    "signature X; encoding hex; content a{body}a{url}a{url}a{url}a{url}a{url}",
    S "tolerance 0",
    S "tolerance 86400",
    S "event type a; event created b; event test c d e f; payload json",
    S "id body data.object.id",
    S "id header I equals id",
    S "timestamp body data.sent_at any optional; secret base64 whsec_",
    "signature X-Sig!#$%&'*+.^_`~; encoding base64url; content v0}:{body}",
    "timestamp header T seconds; encoding hex; content {timestamp}{body}; signature X",
    "signature X; encoding hex; content {method}{url}{header:A}/{header:B}/{body}",
    ("signature X; encoding hex; timestamp header T rfc3339; id header I; "
     "content {id}{timestamp}{body}"),
    "signature X; encoding hex; timestamp header T any; content 0.{timestamp}.0{body}",
    "signature X; encoding hex; timestamp header T any; content {body}.{timestamp}",
    "signature X; encoding hex; timestamp header T any; content {timestamp}/{body}",
    "signature X; encoding hex; timestamp header T any; content {timestamp}:{body}",
    S "list tagged a-tag-of-just-thirty-two-bytes--",
    S "prefix a-prefix-of-just-thirty-two-byte",
};

START_TEST(a_description_in_any_layout_and_order_is_read)
{
    ck_assert_msg(make(good[_i]) == 0, "%s", why);
    ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(a_description_has_1023_bytes_at_most)
{
    char description[1025] = S;

    memset(description + strlen(S), ' ', sizeof(description) - strlen(S));
    description[1024] = '\0';
    ck_assert_int_eq(make(description), HOOKLINE_BAD_SCHEME);
    ck_assert_str_eq(why, "longer than 1023 bytes");
    description[1023] = '\0';
    ck_assert_int_eq(make(description), 0);
}
END_TEST

START_TEST(the_reason_is_cut_where_there_is_no_room)
{
    char small[8] = "xxxxxxx";

    ck_assert_int_eq(hookline_verifier_new_custom(&v, "", SECRET, small, 5), HOOKLINE_BAD_SCHEME);
    ck_assert_mem_eq(small, "no s\0xx", 8);
}
END_TEST

START_TEST(the_reason_need_not_be_asked_for)
{
    char untouched = 'x';

    ck_assert_int_eq(hookline_verifier_new_custom(&v, "", SECRET, NULL, 0), HOOKLINE_BAD_SCHEME);
    ck_assert_int_eq(hookline_verifier_new_custom(&v, "", SECRET, NULL, 9), HOOKLINE_BAD_SCHEME);
    ck_assert_int_eq(hookline_verifier_new_custom(&v, "", SECRET, &untouched, 0),
                     HOOKLINE_BAD_SCHEME);
    ck_assert_int_eq(untouched, 'x');
}
END_TEST

START_TEST(the_reason_never_repeats_what_may_be_a_secret)
{
    make(SECRET);
    ck_assert_ptr_null(strstr(why, SECRET));
    make("secret " SECRET);
    ck_assert_ptr_null(strstr(why, SECRET));
}
END_TEST

START_TEST(nothing_may_be_null)
{
    v = (hookline_verifier *)why;
    ck_assert_int_eq(make(NULL), HOOKLINE_BAD_CALL);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(hookline_verifier_new_custom(NULL, S, SECRET, why, sizeof(why)),
                     HOOKLINE_BAD_CALL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("scheme");
    TCase *tc = tcase_create("scheme");
    int end = (int)count_schemes();

    tcase_add_checked_fixture(tc, NULL, drop);
    tcase_add_loop_test(tc, every_built_in_scheme_can_be_used, 0, end);
    tcase_add_loop_test(tc, every_built_in_scheme_is_written_in_the_public_language, 0, end);
    tcase_add_loop_test(tc, every_built_in_scheme_is_found_by_its_name_and_by_no_other, 0, end);
    tcase_add_loop_test(tc, every_built_in_scheme_says_who_it_is, 0, end);
    tcase_add_test(tc, behind_the_last_scheme_there_is_none);
    tcase_add_loop_test(tc, a_name_that_no_scheme_has_finds_none, 0, COUNT(no_names));
    tcase_add_test(tc, a_scheme_and_a_secret_in_the_wrong_order_are_refused);
    tcase_add_loop_test(tc, a_clause_that_cannot_be_read_is_refused_with_what_is_expected, 0,
                        COUNT(ungrammatical));
    tcase_add_loop_test(tc, a_description_that_would_let_somebody_forge_is_refused_with_the_reason,
                        0, COUNT(dangerous));
    tcase_add_loop_test(tc, a_description_in_any_layout_and_order_is_read, 0, COUNT(good));
    tcase_add_test(tc, a_description_has_1023_bytes_at_most);
    tcase_add_test(tc, the_reason_is_cut_where_there_is_no_room);
    tcase_add_test(tc, the_reason_need_not_be_asked_for);
    tcase_add_test(tc, the_reason_never_repeats_what_may_be_a_secret);
    tcase_add_test(tc, nothing_may_be_null);
    suite_add_tcase(s, tc);
    return s;
}
