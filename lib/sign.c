/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <string.h>

#include "content.h"
#include "verifier.h"

/* Appends texts to out->text, and headers that point to them to out->entries. */
struct sign_writer {
    hookline_signature *out;
    size_t used;
};

enum {
    /* Tag or key, "=", prefix, signature in hexadecimal, separator. */
    ONE_SIGNATURE_MAX = 2 * SCHEME_WORD_MAX + 2 * MAC_SIZE + 2,
    ONE_TIMESTAMP_MAX = SCHEME_WORD_MAX + TIMESTAMP_SIZE + 2,
};
_Static_assert(CONTENT_ID_MAX + ONE_TIMESTAMP_MAX + SCHEME_WORD_MAX +
                       HOOKLINE_SECRETS_MAX * ONE_SIGNATURE_MAX <=
                   sizeof(((hookline_signature *)NULL)->text),
               "text[] has room for the longest headers of any scheme");

static void sign_put(struct sign_writer *w, const char *bytes, size_t len)
{
    memcpy(w->out->text + w->used, bytes, len);
    w->used += len;
}

static void put_text(struct sign_writer *w, const char *text)
{
    sign_put(w, text, strlen(text));
}

static void sign_add_header(struct sign_writer *w, const char *name, size_t from)
{
    w->out->entries[w->out->headers.count++] = (hookline_header){
        name,
        {w->out->text + from, w->used - from},
    };
}

static void put_one_signature(struct sign_writer *w, const struct scheme *s,
                              const unsigned char mac[MAC_SIZE])
{
    char text[2 * MAC_SIZE + 1];
    size_t len = hookline_codec_encode(s->signature.encoding, mac, MAC_SIZE, text, sizeof(text));

    if (s->signature.key != NULL) {
        put_text(w, s->signature.key);
        sign_put(w, s->signature.list == LIST_TAGGED ? "," : "=", 1);
    }
    if (!s->signature.prefix_whole)
        put_text(w, s->signature.prefix);
    sign_put(w, text, len);
}

static void put_signatures(struct sign_writer *w, const hookline_verifier *v,
                           const hookline_bytes content[], hookline_bytes timestamp)
{
    const struct scheme *s = &v->scheme;
    size_t keys = s->signature.list == LIST_NONE ? 1 : v->keys, from = w->used;

    if (s->timestamp.source == FROM_PAIR) {
        put_text(w, s->timestamp.name[0]);
        sign_put(w, "=", 1);
        sign_put(w, timestamp.base, timestamp.len);
        sign_put(w, &s->signature.separator, 1);
    }
    if (s->signature.prefix_whole)
        put_text(w, s->signature.prefix);
    for (size_t k = 0; k < keys; k++) {
        unsigned char mac[MAC_SIZE];

        hookline_mac_compute(&v->key[k], content, s->parts, mac);
        if (k > 0)
            sign_put(w, &s->signature.separator, 1);
        put_one_signature(w, s, mac);
    }
    sign_add_header(w, s->signature.name[0], from);
}

/* Sets *id to the id of the id header; empty if the scheme has no such header. */
static int sign_choose_id(const struct scheme *s, hookline_bytes body, hookline_bytes *id)
{
    if (s->id.source != FROM_HEADER) {
        *id = (hookline_bytes){0};
        return 0;
    }
    if (id->len == 0 && s->id.equals != NULL)
        hookline_content_id_of(hookline_member_find(body, s->id.equals), id);
    return hookline_content_id_is_sound(*id) ? 0 : HOOKLINE_BAD_ID;
}

static bool is_callable(const hookline_verifier *v, const hookline_request *req, int64_t now,
                        const hookline_signature *out)
{
    const int64_t year_10000 = 253402300800;

    return v != NULL && req != NULL && out != NULL && now > 0 && now < year_10000 &&
           (req->body.base != NULL || req->body.len == 0) &&
           (req->find_header != NULL || !hookline_scheme_signs(&v->scheme, PART_HEADER)) &&
           (req->method.len > 0 || !hookline_scheme_signs(&v->scheme, PART_METHOD)) &&
           (req->url.len > 0 || !hookline_scheme_signs(&v->scheme, PART_URL));
}

int hookline_sign(const hookline_verifier *v, const hookline_request *req, hookline_bytes id,
                  int64_t now, hookline_signature *out)
{
    hookline_bytes content[SCHEME_PARTS_MAX];
    char time_text[TIMESTAMP_SIZE];
    hookline_bytes timestamp = {time_text, 0};
    struct sign_writer w = {out, 0};
    int code;

    if (!is_callable(v, req, now, out))
        return HOOKLINE_BAD_CALL;
    timestamp.len = hookline_timestamp_write(v->scheme.timestamp.unit, now, time_text);
    if ((code = sign_choose_id(&v->scheme, req->body, &id)) < 0)
        return code;
    if ((code = hookline_content_gather(&v->scheme, req, timestamp, id, content)) < 0)
        return code;

    out->headers = (hookline_header_list){out->entries, 0};
    if (v->scheme.id.source == FROM_HEADER) {
        sign_put(&w, id.base, id.len);
        sign_add_header(&w, v->scheme.id.name[0], 0);
    }
    if (v->scheme.timestamp.source == FROM_HEADER) {
        sign_put(&w, timestamp.base, timestamp.len);
        sign_add_header(&w, v->scheme.timestamp.name[0], w.used - timestamp.len);
    }
    put_signatures(&w, v, content, timestamp);
    return 0;
}
