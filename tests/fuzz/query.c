/* SPDX-License-Identifier: MIT
 *
 * Fuzzes query_read(): any query is parsed within its limits, or rejected with a message.
 */
#include <string.h>

#include "daemon/admin/query.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    fuzz_check(len < size);
    for (size_t i = 0; i < len; i++)
        fuzz_check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[QUERY_WHY_SIZE];
    struct query q;
    bool good = query_read(&q, (const char *)data, size, why);

    fuzz_check(memchr(why, '\0', sizeof(why)) != NULL);
    fuzz_check(good == (why[0] == '\0'));
    fuzz_check(good || query_method(q.route) != NULL);
    if (!good)
        return 0;
    check_text(q.source, sizeof(q.source));
    check_text(q.type, sizeof(q.type));
    check_text(q.id, sizeof(q.id));
    check_text(q.destination, sizeof(q.destination));
    fuzz_check(q.verdict < VERDICT_END);
    fuzz_check(q.limit >= 1 && q.limit <= QUERY_LIMIT_MAX);
    fuzz_check(q.before >= 1 && q.seq >= 0);
    fuzz_check(q.since_us >= 0 && q.since_us < q.until_us);
    fuzz_check(q.state == QUERY_ANY || query_state_name(q.state)[0] != '\0');
    return 0;
}
