/* SPDX-License-Identifier: MIT */
#include "cli/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/description.h"
#include "cli/secrets.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

static bool draft_fail(char *why, const char *what)
{
    snprintf(why, DRAFT_WHY_SIZE, "%s", what);
    return false;
}

/* Returns true if the scheme sends an id in a header and nowhere else. */
static bool draft_needs_id(const char *description)
{
    struct clause id;

    return clause_find(description, "id", "header", &id) && !clause_word_is(&id, 3, "equals");
}

static bool draft_choose_id(struct draft *draft, const struct draft_options *options,
                            const struct secrets *secrets, char *why)
{
    char made[IDS_SIZE];
    struct clause id;
    int len;

    ids_make_hex(made, payload_id_prefix(secrets->name));
    len = snprintf(draft->id_text, sizeof(draft->id_text), "%s",
                   options->id == NULL ? made : options->id);
    if (len >= DRAFT_ID_SIZE)
        return draft_fail(why, "--id: expected at most 256 characters");
    if (options->id != NULL && !options->test &&
        !clause_find(secrets->description, "id", "header", &id))
        return draft_fail(why, "--id: this scheme sends no id header; put the id into the body");
    if (options->id != NULL || draft_needs_id(secrets->description))
        draft->id = (hookline_bytes){draft->id_text, (size_t)len};
    return true;
}

/* TruLayer uses UUIDs as endpoint ids, the others a prefix and hex digits. */
static bool draft_make_test(struct draft *draft, const struct secrets *secrets, int64_t now_us,
                            char *why)
{
    char endpoint[IDS_SIZE];
    struct payload_ids ids = {draft->id_text, endpoint};

    if (strcmp(secrets->name, "trulayer") == 0)
        ids_make_uuid(endpoint);
    else
        ids_make_hex(endpoint, "we_");
    if (!payload_test(&draft->payload, secrets->name, &ids, now_us))
        return draft_fail(why, "out of memory");
    draft->body = (hookline_bytes){draft->payload.body, draft->payload.len};
    return true;
}

/* Reads the bytes of the file as they are. curl's --data drops line ends, which would change the
 * signed content. */
static bool draft_read_data_file(struct draft *draft, char *why)
{
    char detail[FILE_CONTENTS_WHY_SIZE] = "expected the name of a file after @";

    if (draft->file[0] != '\0' && file_contents_read(&draft->contents, draft->file, detail))
        return true;
    snprintf(why, DRAFT_WHY_SIZE, "--data: %s; for a text that begins with @ use --body -", detail);
    return false;
}

static bool draft_read_body(struct draft *draft, const struct draft_options *options, char *why)
{
    const char *data = options->data;

    draft->file = data == NULL ? options->body : data[0] == '@' ? data + 1 : NULL;
    if (draft->file == NULL) {
        draft->body = (hookline_bytes){data, strlen(data)};
        return true;
    }
    if (data == NULL ? !file_contents_read(&draft->contents, draft->file, why)
                     : !draft_read_data_file(draft, why))
        return false;
    draft->body = (hookline_bytes){draft->contents.base, draft->contents.len};
    return true;
}

static bool draft_check_headers(const struct option_texts *headers, char *why)
{
    for (size_t i = 0; i < headers->count; i++)
        if (headers->items[i][0] == '@')
            return draft_fail(why, "--header: expected 'NAME: VALUE'; headers are not read from a "
                                   "file: repeat --header");
    return true;
}

static void draft_list_headers(struct draft *draft, const struct draft_options *options)
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

bool draft_open(struct draft *draft, const struct draft_options *options,
                const struct secrets *secrets, unsigned number, char why[DRAFT_WHY_SIZE])
{
    int64_t now_us = options->now != 0 ? options->now * 1000000 : clock_wall_us();

    *draft = (struct draft){.now = now_us / 1000000};
    if ((options->body != NULL) + (options->data != NULL) + options->test != 1)
        return draft_fail(why, "give one of --body FILE, --data TEXT and --test");
    if (!draft_check_headers(&options->headers, why) ||
        !draft_choose_id(draft, options, secrets, why))
        return false;
    if (options->test ? !draft_make_test(draft, secrets, now_us + 1000 * (int64_t)number, why)
                      : !draft_read_body(draft, options, why))
        return false;
    draft_list_headers(draft, options);
    return true;
}

void draft_close(struct draft *draft)
{
    buffer_free(&draft->contents);
    payload_free(&draft->payload);
}
