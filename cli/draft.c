/* SPDX-License-Identifier: MIT */
#include "cli/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "cli/clause.h"
#include "daemon/base/identity.h"
#include "cli/trust.h"

static bool complain(char *why, const char *what)
{
    snprintf(why, DRAFT_WHY_SIZE, "%s", what);
    return false;
}

/* Whether the scheme has a header for an id that is nowhere else. */
static bool needs_id(const char *description)
{
    struct clause id;

    return clause_find(description, "id", "header", &id) && !clause_says(&id, 3, "equals");
}

static bool choose_id(struct draft *draft, const struct draft_options *options,
                      const struct trust *trust, char *why)
{
    char made[IDENTITY_SIZE];
    struct clause id;
    int len;

    identity_hex(made, payload_id_prefix(trust->name));
    len = snprintf(draft->id_text, sizeof(draft->id_text), "%s",
                   options->id == NULL ? made : options->id);
    if (len >= DRAFT_ID_SIZE)
        return complain(why, "--id: expected at most 256 characters");
    if (options->id != NULL && !options->test &&
        !clause_find(trust->description, "id", "header", &id))
        return complain(why, "--id: this scheme sends no id in a header; it goes into the body");
    if (options->id != NULL || needs_id(trust->description))
        draft->id = (hookline_bytes){draft->id_text, (size_t)len};
    return true;
}

/* TruLayer names its endpoints by UUIDs, the others by something like this. */
static bool make_test(struct draft *draft, const struct trust *trust, int64_t now_us, char *why)
{
    char endpoint[IDENTITY_SIZE];
    struct payload_ids ids = {draft->id_text, endpoint};

    if (strcmp(trust->name, "trulayer") == 0)
        identity_uuid(endpoint);
    else
        identity_hex(endpoint, "we_");
    if (!payload_test(&draft->payload, trust->name, &ids, now_us))
        return complain(why, "out of memory");
    draft->body = (hookline_bytes){draft->payload.body, draft->payload.len};
    return true;
}

static void list_headers(struct draft *draft, const struct draft_options *options)
{
    size_t count = 0;

    while (count < options->headers.count) {
        draft->extra[count] = options->headers.items[count];
        count++;
    }
    for (size_t i = 0; i < 2; i++)
        if (draft->payload.headers[i][0] != '\0')
            draft->extra[count++] = draft->payload.headers[i];
}

bool draft_open(struct draft *draft, const struct draft_options *options, const struct trust *trust,
                unsigned number, char why[DRAFT_WHY_SIZE])
{
    int64_t now_us = options->now != 0 ? options->now * 1000000 : clock_wall_us();

    *draft = (struct draft){.now = now_us / 1000000};
    if ((options->body != NULL) + (options->data != NULL) + options->test != 1)
        return complain(why, "expected one of --body FILE, --data TEXT and --test");
    if (!choose_id(draft, options, trust, why))
        return false;
    if (options->test && !make_test(draft, trust, now_us + 1000 * (int64_t)number, why))
        return false;
    if (options->body != NULL) {
        if (!contents_read(&draft->contents, options->body, why))
            return false;
        draft->body = (hookline_bytes){draft->contents.base, draft->contents.len};
    }
    if (options->data != NULL)
        draft->body = (hookline_bytes){options->data, strlen(options->data)};
    list_headers(draft, options);
    return true;
}

void draft_close(struct draft *draft)
{
    contents_free(&draft->contents);
    payload_free(&draft->payload);
}
