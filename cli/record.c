/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/printable.h"

static const double exact_max = 9007199254740992.0;

const char *record_text(const cJSON *record, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));
}

bool record_is(const cJSON *record, const char *key, const char *text)
{
    const char *value = record_text(record, key);

    return value != NULL && strcmp(value, text) == 0;
}

int64_t record_number(const cJSON *record, const char *key, int64_t otherwise)
{
    double number = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(record, key));

    /* Not a number is neither. */
    return number > -exact_max && number < exact_max ? (int64_t)number : otherwise;
}

int64_t record_seq(const cJSON *record)
{
    int64_t seq = record_number(record, "seq", 0);

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
