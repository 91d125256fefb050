/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

/* 2^53: below it a double holds every integer exactly. */
static const double json_get_exact_end = 9007199254740992.0;

cJSON *json_get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *json_get_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_get(object, name));
}

bool json_get_is(const cJSON *object, const char *name, const char *text)
{
    const char *value = json_get_text(object, name);

    return value != NULL && strcmp(value, text) == 0;
}

bool json_get_bool(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(json_get(object, name));
}

int64_t json_get_int64(const cJSON *object, const char *name, int64_t otherwise)
{
    double number = cJSON_GetNumberValue(json_get(object, name));

    /* cJSON returns NaN for a non-number; NaN fails both comparisons. */
    if (!(number > -json_get_exact_end && number < json_get_exact_end))
        return otherwise;
    return number == (double)(int64_t)number ? (int64_t)number : otherwise;
}

int64_t json_get_count(const cJSON *object, const char *name)
{
    int64_t number = json_get_int64(object, name, -1);

    return number < 0 ? -1 : number;
}

bool json_get_time(const cJSON *object, const char *name, int64_t *us)
{
    const char *text = json_get_text(object, name);

    return text != NULL && rfc3339_read(text, us);
}

void json_copy_text(char *out, size_t size, const cJSON *text, const char *hidden)
{
    const char *value = cJSON_GetStringValue(text);

    text_copy_redacted(out, size, value == NULL ? "" : value, value == NULL ? 0 : strlen(value),
                       hidden);
}

/* ---- records */

int64_t record_seq(const cJSON *record)
{
    int64_t seq = json_get_int64(record, "seq", 0);

    return seq > 0 ? seq : 0;
}

bool record_read_seq(const char *text, int64_t *seq)
{
    char *end;

    if (text[0] < '1' || text[0] > '9')
        return false;
    errno = 0;
    *seq = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

void record_write(FILE *out, const cJSON *record)
{
    char *text = cJSON_PrintUnformatted(record);

    if (text != NULL)
        text_write_json(out, text, strlen(text));
    cJSON_free(text);
}
