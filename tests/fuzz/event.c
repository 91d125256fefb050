/* SPDX-License-Identifier: MIT
 *
 * Fuzzes hookline_event_read(): no authentic payload is refused. An input is the scheme's index, one
 * digit, and the payload.
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

/* A text of the event has no byte less than the member of the payload. */
static void check_text(const char *text, struct member m)
{
    fuzz_check(text == NULL || hookline_member_equals(m, (hookline_bytes){text, strlen(text)}) ||
               strstr(text, "\xef\xbf\xbd") != NULL);
}

static void check_event(const struct scheme *s, const hookline_result *r, const hookline_event *e)
{
    fuzz_check(r->id.len == 0 || (e->id != NULL && strlen(e->id) == r->id.len &&
                                  memcmp(e->id, r->id.base, r->id.len) == 0));
    fuzz_check(e->created_at >= -1);
    fuzz_check(e->test == 0 || (e->test == 1 && e->type != NULL));
    if (e->type != NULL)
        check_text(e->type, hookline_member_find(r->payload, s->event.type));
    if (e->id != NULL && r->id.len == 0)
        check_text(e->id, hookline_member_find(r->payload, s->id.name[0]));
    fuzz_check(
        hookline_member_opens_object(r->payload) ||
        (e->type == NULL && e->created_at == -1 && (e->unreadable != NULL) == s->event.json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hookline_result r = {.reason = HOOKLINE_VERIFIED, .signed_at = -1};
    const hookline_verifier *v;
    hookline_event *event;
    char *payload;

    if (size == 0 || data[0] < '0' || data[0] > '9' || (v = verifier_of(data[0] - '0')) == NULL)
        return 0;
    payload = malloc(size);
    fuzz_check(payload != NULL);
    memcpy(payload, data + 1, size - 1);
    r.payload = (hookline_bytes){payload, size - 1};
    r.id = size % 2 == 0 ? (hookline_bytes){"msg_1", 5} : (hookline_bytes){NULL, 0};
    fuzz_check(hookline_event_read(&event, v, &r) == 0 && event != NULL);
    check_event(&v->scheme, &r, event);
    hookline_event_free(&event);
    free(payload);
    return 0;
}
