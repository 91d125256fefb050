/* SPDX-License-Identifier: MIT */
#include "tests/lib/delivery.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <check.h>

void sign_again(struct delivery *d)
{
    hookline_signature s;

    ck_assert_int_eq(hookline_sign(d->v, &d->req, (hookline_bytes){"msg_1", 5}, d->now, &s), 0);
    d->list = (hookline_header_list){d->header, s.headers.count};
    for (size_t i = 0; i < s.headers.count; i++) {
        hookline_bytes value = s.entries[i].value;

        d->header[i] = (hookline_header){s.entries[i].name, {d->value[i], value.len}};
        memcpy(d->value[i], value.base, value.len);
    }
}

static void start(struct delivery *d)
{
    d->now = NOW;
    d->req.find_header = hookline_find_in_list;
    d->req.headers = &d->list;
    set_body(d, BODY);
    sign_again(d);
}

void deliver(struct delivery *d, const char *scheme)
{
    *d = (struct delivery){0};
    ck_assert_int_eq(hookline_verifier_new(&d->v, scheme, SECRET), 0);
    start(d);
}

void deliver_custom(struct delivery *d, const char *description)
{
    char why[256] = "";
    int code;

    *d = (struct delivery){0};
    code = hookline_verifier_new_custom(&d->v, description, SECRET, why, sizeof(why));
    ck_assert_msg(code == 0, "%s", why);
    start(d);
}

void delivery_free(struct delivery *d)
{
    hookline_verifier_free(&d->v);
}

hookline_header *find_header(struct delivery *d, const char *name)
{
    for (size_t i = 0; i < d->list.count; i++)
        if (strcasecmp(d->header[i].name, name) == 0)
            return &d->header[i];
    ck_abort_msg("no header %s", name);
    return NULL;
}

/* Adds the header if it is missing. */
void set_header(struct delivery *d, const char *name, const char *value)
{
    size_t i = 0;

    while (i < d->list.count && strcasecmp(d->header[i].name, name) != 0)
        i++;
    if (i == d->list.count)
        d->header[d->list.count++].name = name;
    snprintf(d->value[i], sizeof(d->value[i]), "%s", value);
    d->header[i].value = (hookline_bytes){d->value[i], strlen(value)};
}

void set_body(struct delivery *d, const char *body)
{
    snprintf(d->body, sizeof(d->body), "%s", body);
    d->req.body = (hookline_bytes){d->body, strlen(body)};
}

hookline_result verify(const struct delivery *d)
{
    return hookline_verify(d->v, &d->req, d->now);
}

const char *verdict(const struct delivery *d)
{
    return hookline_code_name(verify(d).reason);
}

size_t count_schemes(void)
{
    size_t n = 0;

    while (hookline_scheme_at(n) != NULL)
        n++;
    return n;
}
