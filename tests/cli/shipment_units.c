/* SPDX-License-Identifier: MIT
 *
 * A delivery ready to send, for every scheme with every fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/faults.h"
#include "cli/raw_request.h"
#include "cli/shipment.h"
#include "tests/run.h"

enum {
    NOW = 1800000000
};

static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char old_secret[] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

static const char *description_of(const char *scheme)
{
    return hookline_scheme_find(scheme)->description;
}

static struct shipment_spec parcel_of(const char *scheme, const char *const *secrets,
                                      const char *body)
{
    return (struct shipment_spec){.description = description_of(scheme),
                                  .secrets = secrets,
                                  .secrets_count = 1,
                                  .body = {body, strlen(body)},
                                  .id = {"msg_1", 5},
                                  .now = NOW};
}

static struct shipment *pack(const struct shipment_spec *spec, const char *words)
{
    char why[SHIPMENT_WHY_SIZE] = "", fault_why[FAULTS_WHY_SIZE];
    struct shipment *shipment;
    struct faults faults;

    ck_assert_msg(faults_read(&faults, words, fault_why), "%s", fault_why);
    shipment = shipment_build(spec, &faults, why);
    ck_assert_msg(shipment != NULL, "%s: %s", words, why);
    return shipment;
}

static hookline_result verdict_of(const struct shipment *shipment, const char *description,
                                  const char *with)
{
    char why[HEADER_LINES_WHY_SIZE];
    struct header_lines lines = {0};
    hookline_header_list list;
    hookline_request request = {.find_header = hookline_find_in_list, .headers = &list};
    hookline_verifier *verifier;
    hookline_result result;

    for (char **line = shipment->headers; *line != NULL; line++)
        ck_assert(header_lines_add(&lines, *line, strlen(*line), why) ||
                  strchr(*line, ';') != NULL);
    list = header_lines_list(&lines);
    request.body = (hookline_bytes){shipment->body, shipment->len};
    request.method = (hookline_bytes){"POST", 4};
    request.url = (hookline_bytes){"https://a.example/h", 19};
    ck_assert_int_eq(hookline_verifier_new_custom(&verifier, description, with, NULL, 0), 0);
    result = hookline_verify(verifier, &request, NOW);
    hookline_verifier_free(&verifier);
    header_lines_free(&lines);
    return result;
}

static void comes_to(const char *scheme, const char *words, const char *body, int reason)
{
    const char *secrets[] = {secret, old_secret};
    struct shipment_spec spec = parcel_of(scheme, secrets, body);
    struct shipment *shipment = pack(&spec, words);

    ck_assert_msg(verdict_of(shipment, spec.description, secret).reason == reason,
                  "%s of %s is not %s", words, scheme, hookline_code_name(reason));
    shipment_free(&shipment);
    ck_assert_ptr_null(shipment);
}

START_TEST(every_scheme_and_fault_comes_to_its_verdict)
{
    static const char event[] = "{\"id\":\"msg_1\",\"sent_at\":\"2027-01-15T08:00:00Z\"}\n";
    const hookline_scheme *scheme;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL; i++) {
        bool timed = strcmp(scheme->name, "github") != 0;

        comes_to(scheme->name, "", event, HOOKLINE_VERIFIED);
        comes_to(scheme->name, "duplicate,burst,reorder,slow,truncate", event, HOOKLINE_VERIFIED);
        comes_to(scheme->name, "reset", event, HOOKLINE_VERIFIED);
        comes_to(scheme->name, "two-signatures", event, HOOKLINE_VERIFIED);
        comes_to(scheme->name, "oversize", event, HOOKLINE_VERIFIED);
        comes_to(scheme->name, "wrong-secret", event, HOOKLINE_MISMATCH);
        comes_to(scheme->name, "secret-newline", event, HOOKLINE_MISMATCH);
        comes_to(scheme->name, "unsigned", event, HOOKLINE_MISSING_HEADER);
        comes_to(scheme->name, "tamper", event, HOOKLINE_MISMATCH);
        comes_to(scheme->name, "reencode", event, HOOKLINE_MISMATCH);
        comes_to(scheme->name, "crlf", event, HOOKLINE_MISMATCH);
        if (timed) {
            comes_to(scheme->name, "stale=300", event, HOOKLINE_VERIFIED);
            comes_to(scheme->name, "stale=301", event, HOOKLINE_TOO_OLD);
            comes_to(scheme->name, "future=412", event, HOOKLINE_TOO_NEW);
            comes_to(scheme->name, "future=412,tamper", event, HOOKLINE_MISMATCH);
        }
    }
}
END_TEST

START_TEST(a_secret_with_a_line_end_is_the_key_with_it)
{
    const char *secrets[] = {"channel-secret"};
    struct shipment_spec spec = parcel_of("github", secrets, "{}");
    struct shipment *shipment = pack(&spec, "secret-newline");
    /* "channel-secret\n" */
    const char *hex = "6368616e6e656c2d7365637265740a";

    ck_assert_int_eq(
        verdict_of(shipment,
                   "signature X-Hub-Signature-256; prefix sha256=; encoding hex; content "
                   "{body}; secret hex",
                   hex)
            .reason,
        HOOKLINE_VERIFIED);
    shipment_free(&shipment);
}
END_TEST

static const char *header_of(const struct shipment *shipment, const char *name)
{
    for (char **line = shipment->headers; *line != NULL; line++)
        if (strncasecmp(*line, name, strlen(name)) == 0)
            return *line;
    return NULL;
}

START_TEST(while_secrets_rotate_both_signatures_are_there)
{
    const char *secrets[] = {secret, old_secret};
    struct shipment_spec spec = parcel_of("standard", secrets, "{}");
    struct shipment *shipment = pack(&spec, ""), *two;
    const char *right = strchr(header_of(shipment, "webhook-signature"), ' ');

    two = pack(&spec, "two-signatures");
    ck_assert_str_eq(strrchr(header_of(two, "webhook-signature"), ' '), right);
    shipment_free(&two);
    spec.secrets_count = 2;
    two = pack(&spec, "two-signatures");
    ck_assert_str_eq(strrchr(header_of(two, "webhook-signature"), ' '), right);
    shipment_free(&two);
    shipment_free(&shipment);
    shipment = pack(&spec, "two-signatures");
    ck_assert_int_eq(verdict_of(shipment, spec.description, secret).reason, HOOKLINE_VERIFIED);
    ck_assert_int_eq(verdict_of(shipment, spec.description, old_secret).reason, HOOKLINE_VERIFIED);
    shipment_free(&shipment);
    spec.secrets_count = 1;
    shipment = pack(&spec, "");
    ck_assert_int_eq(verdict_of(shipment, spec.description, old_secret).reason, HOOKLINE_MISMATCH);
    shipment_free(&shipment);
}
END_TEST

START_TEST(headers_of_ones_own_stand_in_for_the_usual_ones)
{
    const char *secrets[] = {secret};
    const char *extra[] = {"content-type: text/plain", "User-Agent:", "X-More: a", NULL};
    struct shipment_spec spec = parcel_of("foil", secrets, " \n[]");
    struct shipment *shipment = pack(&spec, "");

    ck_assert_str_eq(header_of(shipment, "Content-Type"), "Content-Type: application/json");
    ck_assert_str_eq(header_of(shipment, "User-Agent"), "User-Agent: hookline/" HOOKLINE_VERSION);
    shipment_free(&shipment);
    spec.body = (hookline_bytes){"", 0};
    spec.extra = extra;
    shipment = pack(&spec, "");
    ck_assert_str_eq(header_of(shipment, "Content-Type"), "content-type: text/plain");
    ck_assert_str_eq(header_of(shipment, "User-Agent"), "User-Agent;");
    ck_assert_str_eq(header_of(shipment, "X-More"), "X-More: a");
    shipment_free(&shipment);
}
END_TEST

/* The secret and the time of all tests. */
#define SIGNED_BY(text) .description = (text), .secrets = secrets, .secrets_count = 1, .now = NOW

START_TEST(what_cannot_be_packed_is_explained)
{
    const char *secrets[] = {secret};
    const char *twice[] = {"x-foil-signature: a", NULL}, *odd[] = {"X-Odd", NULL};
    static const char urls[] = "signature X-S; encoding hex; content {url}{body}";
    static const char tenants[] = "signature X-S; encoding hex; content {header:X-Tenant}.{body}";
    const struct {
        struct shipment_spec spec;
        const char *words, *why;
    } wrong[] = {
        {{.description = "x", .secrets = secrets, .secrets_count = 1, .now = NOW}, "", ""},
        {{.description = description_of("foil"), .secrets = secrets, .now = NOW},
         "",
         "no secret to sign with"},
        {{.description = description_of("foil"), .secrets = secrets, .secrets_count = 1},
         "",
         "the time to sign is before 1970"},
        {{SIGNED_BY(description_of("foil")), .extra = twice},
         "",
         "the header X-Foil-Signature is set by signing"},
        {{SIGNED_BY(description_of("foil")), .extra = odd}, "", "found no colon"},
        {{SIGNED_BY(description_of("foil"))}, "truncate", "the body is empty"},
        {{SIGNED_BY(description_of("standard"))}, "", "sends the id in a header"},
        {{SIGNED_BY(description_of("github"))}, "stale", "this scheme signs no time"},
        {{SIGNED_BY(description_of("trulayer"))}, "stale", "holds no time"},
        {{SIGNED_BY(urls)}, "", "signs the URL"},
        {{SIGNED_BY(tenants)}, "", "the header X-Tenant is missing"},
    };
    char why[SHIPMENT_WHY_SIZE], fault_why[FAULTS_WHY_SIZE];
    struct faults faults;

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert(faults_read(&faults, wrong[i].words, fault_why));
        why[0] = '\0';
        ck_assert_ptr_null(shipment_build(&wrong[i].spec, &faults, why));
        ck_assert_msg(why[0] != '\0' && strstr(why, wrong[i].why) != NULL, "%s: %s", wrong[i].why,
                      why);
        ck_assert_ptr_null(strstr(why, secret));
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("shipment");
    TCase *c = tcase_create("all");

    tcase_add_test(c, every_scheme_and_fault_comes_to_its_verdict);
    tcase_add_test(c, a_secret_with_a_line_end_is_the_key_with_it);
    tcase_add_test(c, while_secrets_rotate_both_signatures_are_there);
    tcase_add_test(c, headers_of_ones_own_stand_in_for_the_usual_ones);
    tcase_add_test(c, what_cannot_be_packed_is_explained);
    suite_add_tcase(s, c);
    return s;
}
