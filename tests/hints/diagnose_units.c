/* SPDX-License-Identifier: MIT
 *
 * Diagnosis of common mistakes: finds each deliberate mistake, and none where there is none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>
#include <sodium.h>

#include "daemon/hints/diagnose.h"
#include "daemon/hints/json_variants.h"
#include "daemon/hints/secret_mistakes.h"
#include "tests/run.h"

#define NOW INT64_C(1800000000)

#define FOIL                                                                                       \
    "signature X-Signature; encoding hex; timestamp header X-Time seconds;"                        \
    "content {timestamp}.{body};"
#define CONTENT "{timestamp}.{body}"
#define IN_MS                                                                                      \
    "signature X-Signature; encoding hex; timestamp header X-Time milliseconds;"                   \
    "content {timestamp}.{body};"
#define OTHER_NAMES                                                                                \
    "signature Y-Signature; encoding hex; timestamp header Y-Time seconds;"                        \
    "content {timestamp}.{body};"
#define HEX " secret hex;"

#define COMPACT "{\"a\":[1.0,{\"b\":\"\xc3\xa4/<\"},[]],\"c\":{}}"
#define SPACED  "{\"a\": [1.0, {\"b\": \"\\u00e4/<\"}, []], \"c\": {}}"
#define INDENTED                                                                                   \
    "{\n  \"a\": [\n    1.0,\n    {\n      \"b\": \"\xc3\xa4/<\"\n    },\n    []\n  ],\n  \"c\": " \
    "{}\n}"
#define PHP   "{\"a\":[1.0,{\"b\":\"\\u00e4\\/<\"},[]],\"c\":{}}"
#define GO    "{\"a\":[1.0,{\"b\":\"\xc3\xa4/\\u003c\"},[]],\"c\":{}}"
#define LINES "{\"a\":1,\n\"b\":2}"

/* Forms that gateways give to a body. */
#define STRING(text)    "\"" text "\""
#define LINES_QUOTED    "{\\\"a\\\":1,\\n\\\"b\\\":2}"
#define COMPACT_ESCAPED "{\\\"a\\\":[1.0,{\\u0022b\\u0022:\\\"\\u00E4\\/<\\\"},[]],\\\"c\\\":{}}"
#define ODD             "{\"a\":\"\xc3\xbf?>\",\"b\":1}"
#define ODD_BASE64      "eyJhIjoiw78/PiIsImIiOjF9"

/* Forms of "0123456789abcdef" that a sender may use as its key. */
#define SECRET    "0123456789abcdef"
#define TEXT_KEY  "30313233343536373839616263646566"
#define WHSEC_KEY "77687365635f"
#define B64_KEY   "d35db7e39ebbf3d69b71d79f"

/* Forms in which it may be stored by mistake: base64 of it, alone and with a line end. */
#define BOM           "\xef\xbb\xbf"
#define SECRET_BASE64 "MDEyMzQ1Njc4OWFiY2RlZg=="
#define SECRET_LF     "MDEyMzQ1Njc4OWFiY2RlZgo="
#define SECRET_CRLF   "MDEyMzQ1Njc4OWFiY2RlZg0K"

static const struct {
    const char *sender, *key; /* description and secret */
    const char *ours, *secret;
    const char *sent, *received;
    enum diagnose_cause kind;
} ways[] = {
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{}\n", "{}", DIAGNOSE_BODY_NEWLINE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{}\r\n", "{}", DIAGNOSE_BODY_NEWLINE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{}", "{}\n", DIAGNOSE_BODY_NEWLINE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{}", "{}\r\n", DIAGNOSE_BODY_NEWLINE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "", "\n", DIAGNOSE_BODY_NEWLINE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "a\nb\n", "a\r\nb\r\n", DIAGNOSE_BODY_CRLF},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "a\r\n\r\nb", "a\n\nb", DIAGNOSE_BODY_CRLF},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "a\rb\r\n", "a\rb\n", DIAGNOSE_BODY_CRLF},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, COMPACT, SPACED, DIAGNOSE_BODY_REENCODED},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, SPACED, COMPACT, DIAGNOSE_BODY_REENCODED},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, INDENTED, SPACED, DIAGNOSE_BODY_REENCODED},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, PHP, INDENTED, DIAGNOSE_BODY_REENCODED},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, GO, PHP, DIAGNOSE_BODY_REENCODED},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD, ODD_BASE64, DIAGNOSE_BODY_BASE64},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD, ODD_BASE64 "\n", DIAGNOSE_BODY_BASE64},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD, "eyJhIjoiw7\r\n8_PiIsImIiOjF9 ", DIAGNOSE_BODY_BASE64},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES, STRING(LINES_QUOTED), DIAGNOSE_BODY_STRING},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES, STRING(LINES_QUOTED) "\n", DIAGNOSE_BODY_STRING},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, COMPACT, STRING(COMPACT_ESCAPED), DIAGNOSE_BODY_STRING},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{\"a\":\"it's\"}", "\"{\\\"a\\\":\\\"it\\'s\\\"}\"",
     DIAGNOSE_BODY_STRING},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD, STRING(ODD_BASE64), DIAGNOSE_BODY_STRING},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES,
     "{\"path\":\"/\", \"body\" : " STRING(LINES_QUOTED) ", \"isBase64Encoded\": false}",
     DIAGNOSE_BODY_EVENT},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD,
     "{\"isBase64Encoded\":true,\"body\":" STRING(ODD_BASE64) ",\"x\":[\"\",\"a\"]}",
     DIAGNOSE_BODY_EVENT},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES,
     "[{\"Sns\":{\"Message\":" STRING(LINES_QUOTED) "}}]\n", DIAGNOSE_BODY_EVENT},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES, "\"" LINES_QUOTED, DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "", "{\"body\":\"\"}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, ODD, "!" ODD_BASE64, DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY "0a", FOIL, SECRET, "{}", "{}", DIAGNOSE_SECRET_NEWLINE},
    {FOIL HEX, TEXT_KEY "0d0a", FOIL, SECRET, "{}", "{}", DIAGNOSE_SECRET_NEWLINE},
    {FOIL HEX, SECRET, FOIL, SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, B64_KEY, FOIL, SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, B64_KEY, FOIL, "whsec_" SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, WHSEC_KEY TEXT_KEY, FOIL, SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, TEXT_KEY, FOIL, "whsec_" SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, TEXT_KEY, FOIL HEX, SECRET, "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, TEXT_KEY, FOIL "\n secret\tbase64 whsec_\n", SECRET, "{}", "{}",
     DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, WHSEC_KEY TEXT_KEY, FOIL "secret base64 whsec_", "whsec_" SECRET, "{}", "{}",
     DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, TEXT_KEY, "secret base64 sk_;" FOIL, "sk_" SECRET, "{}", "{}",
     DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, "fbefbefb", FOIL, "--++", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, "fbefbe", FOIL, "----", "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, "fbefbe", FOIL, "++++", "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, "fb", FOIL, "+w==", "{}", "{}", DIAGNOSE_SECRET_DECODING},
    {FOIL HEX, "abcdef", FOIL, SECRET, "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "{}", "{\"a\":1}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, LINES, "", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET, "[1]", "[1.0]", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, "====", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, "whsec_", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, BOM SECRET, "{}", "{}", DIAGNOSE_SECRET_BOM},
    {FOIL HEX, TEXT_KEY, FOIL, BOM "'" SECRET "'", "{}", "{}", DIAGNOSE_SECRET_BOM},
    {FOIL HEX, TEXT_KEY, FOIL, "\"" SECRET "\"", "{}", "{}", DIAGNOSE_SECRET_QUOTES},
    {FOIL HEX, TEXT_KEY, FOIL, "'" SECRET "'", "{}", "{}", DIAGNOSE_SECRET_QUOTES},
    {FOIL HEX, TEXT_KEY, FOIL, "' \t" SECRET " '", "{}", "{}", DIAGNOSE_SECRET_QUOTES},
    {FOIL HEX, TEXT_KEY, FOIL, "\"" SECRET "\\n\"", "{}", "{}", DIAGNOSE_SECRET_QUOTES},
    {FOIL HEX, TEXT_KEY, FOIL, "\xe2\x80\x9c" SECRET "\xe2\x80\x9d", "{}", "{}",
     DIAGNOSE_SECRET_QUOTES},
    {FOIL HEX, TEXT_KEY, FOIL, "FOIL_SECRET=" SECRET, "{}", "{}", DIAGNOSE_SECRET_ASSIGNMENT},
    {FOIL HEX, TEXT_KEY, FOIL, "export FOIL_SECRET='" SECRET "'", "{}", "{}",
     DIAGNOSE_SECRET_ASSIGNMENT},
    {FOIL HEX, TEXT_KEY, FOIL, "foil-secret = \"" SECRET "\"", "{}", "{}",
     DIAGNOSE_SECRET_ASSIGNMENT},
    {FOIL HEX, TEXT_KEY, FOIL, "secret: " SECRET, "{}", "{}", DIAGNOSE_SECRET_ASSIGNMENT},
    {FOIL HEX, TEXT_KEY, FOIL, "Bearer " SECRET, "{}", "{}", DIAGNOSE_SECRET_BEARER},
    {FOIL HEX, TEXT_KEY, FOIL, "Authorization: bearer " SECRET, "{}", "{}",
     DIAGNOSE_SECRET_ASSIGNMENT},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET "\\n", "{}", "{}", DIAGNOSE_SECRET_ESCAPE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET "\\r\\n", "{}", "{}", DIAGNOSE_SECRET_ESCAPE},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET "\xc2\xa0", "{}", "{}", DIAGNOSE_SECRET_BLANKS},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET_LF, "{}", "{}", DIAGNOSE_SECRET_BASE64},
    {FOIL HEX, TEXT_KEY, FOIL, SECRET_CRLF, "{}", "{}", DIAGNOSE_SECRET_BASE64},
    {FOIL HEX, "d35db7e39ebbf3d69b71d79f", FOIL "secret base64", SECRET_BASE64, "{}", "{}",
     DIAGNOSE_SECRET_BASE64},
    {FOIL HEX, TEXT_KEY, FOIL, "\"" SECRET "'", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, "'", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, "''", "{}", "{}", DIAGNOSE_NONE},
    {FOIL HEX, TEXT_KEY, FOIL, "1=" SECRET, "{}", "{}", DIAGNOSE_NONE},
    {IN_MS HEX, TEXT_KEY, FOIL, SECRET, "{}", "{}", DIAGNOSE_TIMESTAMP_UNIT},
    {FOIL HEX, TEXT_KEY, IN_MS, SECRET, "{}", "{}", DIAGNOSE_TIMESTAMP_UNIT},
};

static hookline_bytes bytes(const char *text)
{
    return (hookline_bytes){text, strlen(text)};
}

static hookline_verifier *verifier_of(const char *description, const char *secret)
{
    hookline_verifier *verifier;

    ck_assert_int_eq(hookline_verifier_new_custom(&verifier, description, secret, NULL, 0), 0);
    return verifier;
}

static hookline_request signed_by(hookline_verifier *signer, int64_t when, const char *sent,
                                  const char *received, hookline_signature *signature)
{
    hookline_request request = {.body = bytes(sent)};

    ck_assert_int_eq(hookline_sign(signer, &request, (hookline_bytes){NULL, 0}, when, signature),
                     0);
    request.find_header = hookline_find_in_list;
    request.headers = &signature->headers;
    request.body = bytes(received);
    return request;
}

START_TEST(each_mistake_is_found_by_its_name_and_nothing_else_is)
{
    hookline_verifier *signer = verifier_of(ways[_i].sender, ways[_i].key);
    hookline_verifier *ours = verifier_of(ways[_i].ours, ways[_i].secret);
    char *exact = strdup(ways[_i].received); /* exposes reads beyond the end */
    hookline_signature signature;
    hookline_request request = signed_by(signer, NOW, ways[_i].sent, exact, &signature);
    struct diagnose_question question = {
        .verifier = ours,
        .request = &request,
        .now = NOW,
        .result = hookline_verify(ours, &request, NOW),
        .description = ways[_i].ours,
        .secrets = &ways[_i].secret,
        .secrets_count = 1,
    };
    struct diagnose_result found;

    exact = realloc(exact, request.body.len == 0 ? 1 : request.body.len);
    request.body.base = exact;
    found = diagnose_find(&question);
    ck_assert_int_lt(question.result.reason, 0);
    ck_assert_int_eq(found.kind, ways[_i].kind);
    ck_assert_ptr_null(found.other);
    if (found.kind >= DIAGNOSE_SECRET_NEWLINE && found.kind <= DIAGNOSE_SECRET_BASE64) {
        question.description = NULL;
        ck_assert_int_eq(diagnose_find(&question).kind, DIAGNOSE_NONE);
    }
    free(exact);
    hookline_verifier_free(&ours);
    hookline_verifier_free(&signer);
}
END_TEST

/* ---- secrets that look wrong */

static const struct {
    const char *secret, *says; /* NULL: no warning */
} looks[] = {
    {"\"" SECRET "\"", "has quotes around it; delete them"},
    {"'" SECRET "'", "has quotes around it"},
    {"KEY=" SECRET, "reads NAME=value"},
    {"export KEY='" SECRET "'", "reads NAME=value"},
    {BOM SECRET, "begins with a byte order mark"},
    {SECRET "\\n", "ends with a backslash"},
    {"Bearer " SECRET, "the word Bearer"},
    {SECRET "\xe2\x80\x8b", "an invisible character"},
    {SECRET_LF, "is base64 of a text that ends with a newline"},
    {SECRET_CRLF, "is base64 of a text that ends with a newline"},
    {SECRET, NULL},
    {SECRET_BASE64, NULL},
    {"whsec_" SECRET_LF, NULL},
    {"S=" SECRET, "reads NAME=value"},
    {"1=" SECRET, NULL},
    {"MDEyMzQ1Njc4OWFiY2Q=", NULL},
    {"YQ==", NULL},
    {"a secret of several words", NULL},
    {"", NULL},
};

START_TEST(a_secret_that_looks_wrong_causes_a_warning)
{
    const char *warning = secret_mistake_warning(looks[_i].secret);

    if (looks[_i].says == NULL)
        ck_assert_ptr_null(warning);
    else
        ck_assert_msg(warning != NULL && strstr(warning, looks[_i].says) != NULL, "%s: %s",
                      looks[_i].secret, warning == NULL ? "no warning" : warning);
    ck_assert(warning == NULL || strstr(warning, SECRET) == NULL);
}
END_TEST

/* Random keys look right, in each encoding. */
START_TEST(a_random_key_causes_no_warning)
{
    ck_assert_int_ge(sodium_init(), 0);
    for (int turn = 0; turn < 2000; turn++) {
        unsigned char key[32];
        char text[70];

        randombytes_buf(key, sizeof(key));
        sodium_bin2hex(text, sizeof(text), key, sizeof(key));
        ck_assert_ptr_null(secret_mistake_warning(text));
        sodium_bin2base64(text, sizeof(text), key, 16 + turn % 17,
                          turn % 2 == 0 ? sodium_base64_VARIANT_ORIGINAL
                                        : sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        ck_assert_msg(secret_mistake_warning(text) == NULL, "%s", text);
    }
}
END_TEST

/* ---- signed URLs */

#define WITH_URL                                                                                   \
    "signature X-Signature; encoding hex; timestamp header X-Time seconds;"                        \
    "content {timestamp}.{url}{body};"

static const struct {
    const char *sent, *ours, *query;
    enum diagnose_cause kind;
} urls[] = {
    {"https://a.example/h/", "https://a.example/h", "", DIAGNOSE_URL_SLASH},
    {"https://a.example/h", "https://a.example/h/", "", DIAGNOSE_URL_SLASH},
    {"https://a.example", "https://a.example/", "", DIAGNOSE_URL_SLASH},
    {"https://a.example/h/?a=1", "https://a.example/h?a=1", "", DIAGNOSE_URL_SLASH},
    {"http://a.example/h", "https://a.example/h", "", DIAGNOSE_URL_SCHEME},
    {"https://a.example/h", "http://a.example/h", "", DIAGNOSE_URL_SCHEME},
    {"https://a.example/h", "http://a.example:8080/h", "", DIAGNOSE_URL_SCHEME},
    {"https://a.example:443/h", "https://a.example/h", "", DIAGNOSE_URL_PORT},
    {"http://a.example:80/h", "http://a.example/h", "", DIAGNOSE_URL_PORT},
    {"https://a.example/h", "https://a.example:443/h", "", DIAGNOSE_URL_PORT},
    {"https://[::1]/h", "https://[::1]:8443/h", "", DIAGNOSE_URL_PORT},
    {"https://[::1]:443/h", "https://[::1]/h", "", DIAGNOSE_URL_PORT},
    {"https://a.example/H", "https://A.Example/H", "", DIAGNOSE_URL_CASE},
    {"https://a.example/h", "https://a.example/h?a=1", "", DIAGNOSE_URL_QUERY},
    {"https://a.example/h?a=1", "https://a.example/h", "a=1", DIAGNOSE_URL_QUERY},
    {"https://a.example/h?a=1", "https://a.example/h?b=2", "a=1", DIAGNOSE_URL_QUERY},
    {"http://a.example/h/?a=1", "https://A.example:443/h", "a=1", DIAGNOSE_URL_SCHEME},
    {"https://b.example/h", "https://a.example/h", "", DIAGNOSE_NONE},
    {"https://a.example/h?a=1", "https://a.example/h", "", DIAGNOSE_NONE},
    {"/h", "/h/", "", DIAGNOSE_NONE},
    {"https://a.example", "https://", "", DIAGNOSE_NONE},
};

START_TEST(another_spelling_of_the_url_is_found)
{
    hookline_verifier *ours = verifier_of(WITH_URL, SECRET);
    const char *secret = SECRET;
    hookline_signature signature;
    hookline_request request = {.body = bytes("{}"), .url = bytes(urls[_i].sent)};
    struct diagnose_question q = {.verifier = ours, .request = &request, .now = NOW};

    ck_assert_int_eq(hookline_sign(ours, &request, (hookline_bytes){NULL, 0}, NOW, &signature), 0);
    request.find_header = hookline_find_in_list;
    request.headers = &signature.headers;
    request.url = bytes(urls[_i].ours);
    q.query = bytes(urls[_i].query);
    q.description = WITH_URL;
    q.secrets = &secret;
    q.secrets_count = 1;
    q.result = hookline_verify(ours, &request, NOW);
    ck_assert_int_eq(diagnose_find(&q).kind, urls[_i].kind);
    hookline_verifier_free(&ours);
}
END_TEST

START_TEST(every_mistake_has_a_name_and_a_sentence)
{
    for (int kind = DIAGNOSE_OTHER_SOURCE; kind <= DIAGNOSE_PATH; kind++) {
        ck_assert_uint_eq(strspn(diagnose_cause_name(kind), "abcdefghijklmnopqrstuvwxyz_64"),
                          strlen(diagnose_cause_name(kind)));
        ck_assert_uint_gt(strlen(diagnose_cause_text(kind)), 40);
    }
    ck_assert_ptr_null(diagnose_cause_name(DIAGNOSE_NONE));
    ck_assert_ptr_null(diagnose_cause_text(DIAGNOSE_NONE));
}
END_TEST

START_TEST(the_second_secret_and_the_second_source_are_asked)
{
    hookline_verifier *ours = verifier_of(FOIL, SECRET);
    hookline_verifier *other = verifier_of(OTHER_NAMES, SECRET), *same = verifier_of(FOIL, "third");
    const struct diagnose_other others[] = {
        {"ours", NULL, ours}, {"other", NULL, other}, {"same", NULL, same}};
    const char *const secrets[] = {SECRET, "666f757274680a"};
    hookline_verifier *signer = verifier_of(FOIL HEX, secrets[1]);
    hookline_signature signature;
    hookline_request request = signed_by(other, NOW - 1000, "{}", "{}", &signature);
    struct diagnose_question q = {.verifier = ours, .request = &request, .now = NOW};
    struct diagnose_result found;

    q.others = others;
    q.others_count = COUNT(others);
    q.description = FOIL;
    q.secrets = secrets;
    q.secrets_count = COUNT(secrets);
    q.result = hookline_verify(ours, &request, NOW);
    ck_assert_int_eq(q.result.reason, HOOKLINE_MISSING_HEADER);
    found = diagnose_find(&q); /* at any age */
    ck_assert_int_eq(found.kind, DIAGNOSE_OTHER_SOURCE);
    ck_assert_str_eq(found.other, "other");
    request = signed_by(same, NOW, "{}", "{}", &signature);
    q.result = hookline_verify(ours, &request, NOW);
    found = diagnose_find(&q);
    ck_assert_int_eq(found.kind, DIAGNOSE_OTHER_SOURCE);
    ck_assert_str_eq(found.other, "same");
    request = signed_by(signer, NOW, "{}", "{}", &signature);
    q.result = hookline_verify(ours, &request, NOW);
    ck_assert_int_eq(diagnose_find(&q).kind, DIAGNOSE_SECRET_DECODING);
    hookline_verifier_free(&signer);
    hookline_verifier_free(&same);
    hookline_verifier_free(&other);
    hookline_verifier_free(&ours);
}
END_TEST

static enum diagnose_cause kind_of_time(int64_t signed_at)
{
    const struct diagnose_question q = {
        .now = NOW,
        .result = {.reason = signed_at < NOW ? HOOKLINE_TOO_OLD : HOOKLINE_TOO_NEW,
                   .signed_at = signed_at},
    };

    return diagnose_find(&q).kind;
}

START_TEST(a_clock_that_is_wrong_is_no_other_unit)
{
    ck_assert_int_eq(kind_of_time(NOW - 301), DIAGNOSE_NONE);
    ck_assert_int_eq(kind_of_time(NOW + 301), DIAGNOSE_NONE);
    ck_assert_int_eq(kind_of_time(1), DIAGNOSE_NONE);
    ck_assert_int_eq(kind_of_time(INT64_MAX), DIAGNOSE_NONE);
    ck_assert_int_eq(kind_of_time(NOW * 900), DIAGNOSE_NONE);
    ck_assert_int_eq(kind_of_time(NOW * 1000 + 999), DIAGNOSE_TIMESTAMP_UNIT);
    ck_assert_int_eq(kind_of_time(NOW * 1000000), DIAGNOSE_TIMESTAMP_UNIT);
    ck_assert_int_eq(kind_of_time(NOW * 1000000000), DIAGNOSE_TIMESTAMP_UNIT);
    ck_assert_int_eq(kind_of_time(NOW / 1000), DIAGNOSE_TIMESTAMP_UNIT);
}
END_TEST

START_TEST(a_description_that_is_nearly_too_long_is_no_danger)
{
    size_t found = 0;

    for (size_t len = 980; len < 1030; len++) {
        char *description = malloc(len + 1);
        hookline_verifier *ours, *signer = verifier_of(FOIL HEX, TEXT_KEY "0a");
        hookline_signature signature;
        hookline_request request = signed_by(signer, NOW, "{}", "{}", &signature);
        const char *secret = SECRET;
        struct diagnose_question q = {.request = &request, .now = NOW, .description = description};

        /* Fill with blanks inside a clause, because clause_replace() keeps them. */
        memset(description, ' ', len);
        memcpy(description, FOIL, sizeof(FOIL) - 1 - sizeof(CONTENT));
        memcpy(description + len - (sizeof(CONTENT) - 1), CONTENT, sizeof(CONTENT) - 1);
        description[len] = '\0';
        q.secrets = &secret;
        q.secrets_count = 1;
        if (hookline_verifier_new_custom(&ours, description, secret, NULL, 0) == 0) {
            q.verifier = ours;
            q.result = hookline_verify(ours, &request, NOW);
            found += diagnose_find(&q).kind == DIAGNOSE_SECRET_NEWLINE;
        }
        hookline_verifier_free(&ours);
        hookline_verifier_free(&signer);
        free(description);
    }
    /* Lengths that leave room for the other secret; clause_replace() drops two blanks. */
    ck_assert_uint_eq(found, 1024 - sizeof("secret hex;") + 2 - 980 + 1);
}
END_TEST

static char *random_text(size_t len)
{
    static const char letters[] = "{}[]\":,\\u/<\n\r =whsec_019afAF;'\xc3\xa4";
    char *text = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
    text[len] = '\0';
    return text;
}

START_TEST(whatever_the_body_and_the_secret_are_a_forgery_has_no_mistake)
{
    static const char *const endings[] = {"", "secret hex", "secret base64 whsec_", "secret text;"};

    ck_assert_int_ge(sodium_init(), 0);
    for (int turn = 0; turn < 200; turn++) {
        hookline_verifier *signer = verifier_of(FOIL, "forger"), *ours = verifier_of(FOIL, SECRET);
        char *body = random_text(randombytes_uniform(60)), *description = NULL;
        char *secret = random_text(1 + randombytes_uniform(turn % 2 == 0 ? 20 : 600));
        const char *const secrets[] = {secret};
        hookline_signature signature;
        hookline_request request = signed_by(signer, NOW, body, body, &signature);
        struct diagnose_question q = {.verifier = ours, .request = &request, .now = NOW};

        ck_assert_int_ge(asprintf(&description, "%s%s", FOIL, endings[turn % COUNT(endings)]), 0);
        q.result = hookline_verify(ours, &request, NOW);
        q.description = description;
        q.secrets = secrets;
        q.secrets_count = 1;
        ck_assert_int_eq(diagnose_find(&q).kind, DIAGNOSE_NONE);
        free(description);
        free(secret);
        free(body);
        hookline_verifier_free(&ours);
        hookline_verifier_free(&signer);
    }
}
END_TEST

/* ---- respelling */

static const char *const spellings[] = {COMPACT, SPACED, INDENTED, PHP, GO};

static bool is_respelling(const char *from, const char *to)
{
    char text[512];

    for (unsigned n = 0; n < json_variants_count(); n++)
        if (json_variants_write(n, bytes(from), text, sizeof(text)) == strlen(to) &&
            memcmp(text, to, strlen(to)) == 0)
            return true;
    return false;
}

START_TEST(each_spelling_becomes_each_other)
{
    for (size_t i = 0; i < COUNT(spellings); i++)
        ck_assert_msg(is_respelling(spellings[_i], spellings[i]), "%s: %s", spellings[_i],
                      spellings[i]);
}
END_TEST

static const char *const pairs[][2] = {
    {"\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\xf0\x9f\x98\x80\"", "\"\\ud83d\\ude00\""},
    {"\"\\ud83d\"", "\"\\ud83d\""},
    {"\"\\ud83d\\u0041\"", "\"\\ud83dA\""},
    {"\"\\u0000\\u0009\\u000b\"", "\"\\u0000\\t\\u000b\""},
    {"\"\\u0022\\u005c\\b\\f\\r\"", "\"\\\"\\\\\\b\\f\\r\""},
    {"\"\x7f\"", "\"\\u007f\""},
    {"\"\\u2028\"", "\"\xe2\x80\xa8\""},
    {"\"\xe2\x80\xa8\"", "\"\\u2028\""},
    {"\"\\q\\u12\"", "\"\\q\\u12\""},
    {"\"\xff\xc3\"", "\"\xff\xc3\""},
    {"\" a , : { \"", "\" a , : { \""},
    {"{ }", "{}"},
    {"[ \n ]", "[]"},
    {"\"\\", "\"\\"},
    {"\"\\u00", "\"\\u00"},
    {" 1e400 ", "1e400"},
    {"]]", "]]"},
};

START_TEST(a_text_is_respelled_as_others_do)
{
    ck_assert_msg(is_respelling(pairs[_i][0], pairs[_i][1]), "%s", pairs[_i][0]);
}
END_TEST

/* Any input, with any output size. */
START_TEST(any_bytes_are_respelled_within_their_room)
{
    static const char letters[] = "{}[]\":,\\ud83cde00/<>&\n\t\r 1aq\xc3\xa4\xf0\x9f\xff\x80";

    ck_assert_int_ge(sodium_init(), 0);
    for (int turn = 0; turn < 20000; turn++) {
        size_t len = randombytes_uniform(40), size = randombytes_uniform(200);
        char *text = malloc(len + 1), *out = malloc(size + 1);

        text = realloc(text, len == 0 ? 1 : len);
        out = realloc(out, size == 0 ? 1 : size);
        for (size_t i = 0; i < len; i++)
            text[i] = letters[randombytes_uniform(sizeof(letters))];
        for (unsigned n = 0; n < json_variants_count(); n++)
            ck_assert_uint_le(json_variants_write(n, (hookline_bytes){text, len}, out, size), size);
        for (hookline_bytes left = {text, len}, string;
             json_variants_next_string(&left, &string);) {
            char *decoded = malloc(string.len + (string.len == 0));

            ck_assert_uint_le(json_variants_decode(string, decoded), string.len);
            free(decoded);
        }
        free(text);
        free(out);
    }
}
END_TEST

START_TEST(what_is_nested_deeply_takes_no_more_room_than_there_is)
{
    const size_t len = 1 << 16, size = 1 << 18;
    char *text = malloc(len), *out = malloc(size);
    unsigned written = 0;

    memset(text, '[', len);
    for (unsigned n = 0; n < json_variants_count(); n++)
        written += json_variants_write(n, (hookline_bytes){text, len}, out, size) > 0;
    ck_assert_uint_eq(written, 2 * json_variants_count() / 5);
    free(text);
    free(out);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("mistake");
    TCase *tc = tcase_create("units");

    tcase_add_loop_test(tc, each_mistake_is_found_by_its_name_and_nothing_else_is, 0, COUNT(ways));
    tcase_add_loop_test(tc, a_secret_that_looks_wrong_causes_a_warning, 0, COUNT(looks));
    tcase_add_test(tc, a_random_key_causes_no_warning);
    tcase_add_loop_test(tc, another_spelling_of_the_url_is_found, 0, COUNT(urls));
    tcase_add_test(tc, every_mistake_has_a_name_and_a_sentence);
    tcase_add_test(tc, the_second_secret_and_the_second_source_are_asked);
    tcase_add_test(tc, a_clock_that_is_wrong_is_no_other_unit);
    tcase_add_test(tc, a_description_that_is_nearly_too_long_is_no_danger);
    tcase_add_test(tc, whatever_the_body_and_the_secret_are_a_forgery_has_no_mistake);
    tcase_add_loop_test(tc, each_spelling_becomes_each_other, 0, COUNT(spellings));
    tcase_add_loop_test(tc, a_text_is_respelled_as_others_do, 0, COUNT(pairs));
    tcase_add_test(tc, any_bytes_are_respelled_within_their_room);
    tcase_add_test(tc, what_is_nested_deeply_takes_no_more_room_than_there_is);
    suite_add_tcase(s, tc);
    return s;
}
