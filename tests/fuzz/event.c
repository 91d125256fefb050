/* SPDX-License-Identifier: MIT
 *
 * Fuzzes hookline_event_read(): authentic payloads may be malformed, too. An input is the scheme's
 * index, one digit, and the payload.
 */
#include <hookline.h>

#include <string.h>

#include "lib/member.h"
#include "lib/verifier.h"
#include "tests/fuzz/fuzz.h"

static const hookline_verifier *verifier_of(size_t index)
{
    static hookline_verifier *made[10];

    if (made[index] == NULL && hookline_scheme_at(index) != NULL)
        fuzz_check(hookline_verifier_new(&made[index], hookline_scheme_at(index)->name,
                                         "c2VjcmV0c2VjcmV0") == 0);
    return made[index];
}

static void check_event(const struct scheme *s, const hookline_result *r, const hookline_event *e)
{
    struct member type;

    fuzz_check((e->id == NULL) == (r->id.len == 0));
    fuzz_check(e->id == NULL || (strlen(e->id) == r->id.len && e->id[r->id.len] == '\0'));
    fuzz_check(e->created_at >= -1);
    fuzz_check(e->test == 0 || (e->test == 1 && e->type != NULL));
    fuzz_check(e->unreadable == NULL || e->unreadable == hookline_member_problem(r->payload));
    if (e->type == NULL)
        return;
    type = hookline_member_find(r->payload, s->event.type);
    fuzz_check(type.kind == MEMBER_STRING);
    /* U+FFFD is longer than the byte it replaces. */
    fuzz_check(type.escaped || strlen(e->type) >= type.text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hookline_result r = {.reason = HOOKLINE_VERIFIED, .signed_at = -1};
    const hookline_verifier *v;
    hookline_event *event;
    char *payload;
    int code;

    if (size == 0 || data[0] < '0' || data[0] > '9' || (v = verifier_of(data[0] - '0')) == NULL)
        return 0;
    payload = malloc(size);
    fuzz_check(payload != NULL);
    memcpy(payload, data + 1, size - 1);
    r.payload = (hookline_bytes){payload, size - 1};
    r.id = size % 2 == 0 ? (hookline_bytes){"msg_1", 5} : (hookline_bytes){NULL, 0};
    code = hookline_event_read(&event, v, &r);
    fuzz_check(code == 0 && event != NULL);
    check_event(&v->scheme, &r, event);
    hookline_event_free(&event);
    free(payload);
    return 0;
}
