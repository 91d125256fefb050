/* SPDX-License-Identifier: MIT */
#include "cli/event_line.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/base/printable.h"
#include "cli/record.h"
#include "cli/terminal.h"
#include "cli/wanted.h"

static void event_line_write_part(FILE *out, const char *before, const char *text)
{
    if (text == NULL)
        return;
    fputs(before, out);
    text_write_printable(out, text, strlen(text));
}

void event_line_write(FILE *out, const cJSON *event)
{
    const char *verdict = record_text(event, "verdict"), *source = record_text(event, "source");
    unsigned kind = event_verdict_read(verdict);
    bool bad = (kind & (EVENT_REFUSED | EVENT_FAILED | EVENT_PARKED)) != 0;
    int64_t seq = record_seq(event);

    event_line_write_part(out, "", record_text(event, "time"));
    fputs(terminal_tone(out, bad ? TERMINAL_BAD : TERMINAL_GOOD), out);
    event_line_write_part(out, "  ", verdict);
    fputs(terminal_tone(out, TERMINAL_PLAIN), out);
    event_line_write_part(out, "  ", source == NULL ? "(no source)" : source);
    if (seq > 0)
        fprintf(out, "  seq %" PRId64, seq);
    event_line_write_part(out, "  ", record_text(event, "type"));
    event_line_write_part(out, "  ", record_text(event, "id"));
    event_line_write_part(out, "  to ", record_text(event, "destination"));
    if (bad || kind == EVENT_RETRIED)
        event_line_write_part(out, "  ", record_text(event, "reason"));
    fputc('\n', out);
}
