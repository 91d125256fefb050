/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_get.h"
#include "daemon/base/text.h"

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
