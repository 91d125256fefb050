/* SPDX-License-Identifier: MIT
 *
 * The verdict. hookline_verify() at the end lists the checks in order.
 */
#include <hookline.h>

#include <string.h>

#include <sodium.h>

#include "claim.h"
#include "content.h"
#include "verifier.h"

static int check_call(const hookline_verifier *v, const hookline_request *req, int64_t now)
{
    if (v == NULL || req == NULL || req->find_header == NULL || now <= 0)
        return HOOKLINE_BAD_CALL;
    if (req->body.base == NULL && req->body.len > 0)
        return HOOKLINE_BAD_CALL;
    if (req->reserved[0] != 0 || req->reserved[1] != 0)
        return HOOKLINE_BAD_CALL;
    if ((hookline_scheme_signs(&v->scheme, PART_METHOD) && req->method.len == 0) ||
        (hookline_scheme_signs(&v->scheme, PART_URL) && req->url.len == 0))
        return HOOKLINE_BAD_CALL;
    return 0;
}

/* Compares every secret with every signature, even after a match, so that timing is constant. */
static int authenticate(const hookline_verifier *v, const struct claim *claim, hookline_result *r)
{
    unsigned char mac[MAC_SIZE];

    for (size_t k = 0; k < v->keys; k++) {
        int equal = 0;

        hookline_mac_compute(&v->key[k], claim->content, v->scheme.parts, mac);
        for (size_t i = 0; i < claim->signatures; i++)
            equal |= hookline_mac_equal(mac, claim->signature[i]);
        if (equal && r->secret < 0) {
            r->secret = (int32_t)k;
            memcpy(r->mac, mac, sizeof(mac));
        }
    }
    sodium_memzero(mac, sizeof(mac));
    return r->secret < 0 ? HOOKLINE_MISMATCH : 0;
}

/* An optional time that cannot be read counts as missing. */
static int time_in_body(const struct scheme *s, hookline_bytes body, int64_t *signed_at)
{
    struct member m = hookline_member_find(body, s->timestamp.name[0]);
    int64_t seconds;

    if (hookline_content_time_of(m, s->timestamp.unit, &seconds))
        *signed_at = seconds;
    else if (!s->timestamp.optional)
        return m.kind == MEMBER_MALFORMED ? HOOKLINE_BAD_PAYLOAD : HOOKLINE_BAD_TIMESTAMP;
    return 0;
}

static int check_time(const hookline_verifier *v, hookline_bytes body, int64_t now,
                      hookline_result *r)
{
    int code = 0;

    if (v->scheme.timestamp.source == FROM_BODY)
        code = time_in_body(&v->scheme, body, &r->signed_at);
    if (code < 0 || r->signed_at < 0)
        return code;
    if (now - r->signed_at > v->past_s)
        return HOOKLINE_TOO_OLD;
    if (r->signed_at - now > v->future_s)
        return HOOKLINE_TOO_NEW;
    r->fresh = 1;
    return 0;
}

/* The header must equal each member of this name, because parsers differ in which one they take. */
static int check_bound_id(struct member m, hookline_bytes claimed, hookline_result *r)
{
    bool readable = hookline_content_id_of(m, &r->id) || m.escaped;

    if (!hookline_member_equals(m, claimed) || m.differs)
        return readable ? HOOKLINE_ID_MISMATCH : HOOKLINE_BAD_PAYLOAD;
    if (m.escaped)
        r->id = claimed;
    return 0;
}

static int check_id(const struct scheme *s, hookline_bytes body, hookline_bytes claimed,
                    hookline_result *r)
{
    switch (s->id.source) {
    case FROM_BODY:
        hookline_content_id_of(hookline_member_find(body, s->id.name[0]), &r->id);
        break;
    case FROM_HEADER:
        if (s->id.equals != NULL)
            return check_bound_id(hookline_member_find(body, s->id.equals), claimed, r);
        r->id = claimed;
        break;
    case FROM_PAIR:
    case FROM_NOWHERE:
        break;
    }
    return 0;
}

hookline_bytes hookline_delivery_id(const hookline_verifier *v, const hookline_request *req)
{
    const hookline_bytes none = {NULL, 0};
    hookline_bytes id = none;
    size_t found = 0;

    if (v == NULL || req == NULL || req->find_header == NULL)
        return none;
    for (unsigned i = 0; i < v->scheme.sets && v->scheme.delivery[i] != NULL; i++)
        found += req->find_header(req->headers, v->scheme.delivery[i], &id);
    return found == 1 && hookline_content_id_is_sound(id) ? id : none;
}

hookline_result hookline_verify(const hookline_verifier *v, const hookline_request *req,
                                int64_t now)
{
    hookline_result r = {.secret = -1, .signed_at = -1};
    struct claim claim;
    int id_code;

    if ((r.reason = check_call(v, req, now)) < 0)
        return r;
    if ((r.reason = hookline_claim_read(&claim, &v->scheme, req)) < 0)
        return r;
    if ((r.reason = authenticate(v, &claim, &r)) < 0)
        return r;
    r.signed_at = claim.signed_at;
    id_code = check_id(&v->scheme, req->body, claim.id, &r);
    if ((r.reason = check_time(v, req->body, now, &r)) < 0)
        return r;
    if ((r.reason = id_code) < 0)
        return r;
    r.reason = HOOKLINE_VERIFIED;
    r.payload = req->body;
    return r;
}
