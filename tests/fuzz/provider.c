/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the ping's diagnosis of untrusted text: a provider's answer and a sink's line. The first
 * two bytes choose the provider and the status. Each diagnosis is a sentence, safe for a terminal
 * and without keys.
 */
#include <string.h>

#include "cli/ping/diagnosis.h"
#include "cli/ping/observed.h"
#include "cli/ping/provider.h"
#include "tests/fuzz/fuzz.h"

static const char key[] = "sk_1";

static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    fuzz_check(len < size);
    for (size_t i = 0; i < len; i++)
        fuzz_check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_said(const char *text, size_t size)
{
    check_text(text, size);
    fuzz_check(strstr(text, key) == NULL);
}

static void check_view(const struct provider_view *v)
{
    check_said(v->word, sizeof(v->word));
    check_said(v->error, sizeof(v->error));
    check_said(v->body, sizeof(v->body));
    fuzz_check(v->status >= -1 && v->status <= 999 && v->attempts >= -1);
    fuzz_check(v->receipt[0] == '\0' || strspn(v->receipt, "0123456789abcdef") == 16);
}

/* The sink does not know the provider's key. */
static void diagnose(struct observed *f, void (*check)(const char *text, size_t size))
{
    struct diagnosis d;

    diagnosis_make(&d, f);
    check(d.text, sizeof(d.text));
    fuzz_check(d.text[0] != '\0' && d.name != NULL);
}

static void read_line(struct observed *f, const char *text, size_t len)
{
    cJSON *line = cJSON_ParseWithLength(text, len);

    if (cJSON_IsObject(line) && observed_event_read(&f->seen, line, 2000000000000000)) {
        f->match = OBSERVED_MATCH_ID;
        check_text(f->seen.source, sizeof(f->seen.source));
        check_text(f->seen.id, sizeof(f->seen.id));
        diagnose(f, check_text);
    }
    cJSON_Delete(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"foil", "shodai", "trulayer", "emulated", "tripwire"};
    static const int statuses[] = {200, 202, 301, 401, 404, 422, 500, 999};
    struct observed f = {.endpoint = "we_1",
                         .base_url = "http://p",
                         .source = "s",
                         .sink = "unix:s",
                         .answered = true,
                         .triggered_us = 1,
                         .answered_us = 2,
                         .view_us = 3};
    struct provider_bytes bytes;

    if (size < 2)
        return 0;
    f.provider = provider_find(names[data[0] % 5]);
    bytes = (struct provider_bytes){statuses[data[1] % 8], (const char *)data + 2, size - 2,
                                    data[1] / 8 == 31, key};
    provider_answer_read(f.provider, &bytes, &f.answer);
    check_said(f.answer.said, sizeof(f.answer.said));
    check_said(f.answer.event_id, sizeof(f.answer.event_id));
    check_said(f.answer.delivery_id, sizeof(f.answer.delivery_id));
    check_view(&f.answer.view);
    fuzz_check((f.answer.kind == PROVIDER_TRIGGERED) == (f.answer.said[0] == '\0'));
    f.view = f.answer.view;
    diagnose(&f, check_said);
    if (provider_answer_read_event(&bytes, f.endpoint, &f.view))
        diagnose(&f, check_said);
    check_view(&f.view);
    f.answer = (struct provider_answer){.kind = PROVIDER_TRIGGERED};
    read_line(&f, bytes.bytes, bytes.len);
    return 0;
}
