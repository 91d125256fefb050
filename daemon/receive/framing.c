/* SPDX-License-Identifier: MIT */
#include "daemon/receive/framing.h"

#include <string.h>
#include <strings.h>

static bool request_head_line_names(const char *line, size_t len, const char *name)
{
    size_t name_len = strlen(name);

    return len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0;
}

bool request_head_is_ambiguous(const char *head, size_t len)
{
    unsigned found = 0;

    while (len > 0) {
        const char *end = memchr(head, '\n', len);
        size_t line_len = end == NULL ? len : (size_t)(end - head) + 1;

        found += request_head_line_names(head, line_len, "content-length") ||
                 request_head_line_names(head, line_len, "transfer-encoding");
        head += line_len;
        len -= line_len;
    }
    return found > 1;
}
