/* SPDX-License-Identifier: MIT */
#include "cli/ping/refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping/provider.h"

enum {
    CLOCKS_AGREE_S = 5
};

static bool diagnosis_is_too_new(const struct observed_event *s)
{
    return strcmp(s->reason, "timestamp_too_new") == 0;
}

static bool diagnosis_is_stale(const struct observed_event *s)
{
    return diagnosis_is_too_new(s) || strcmp(s->reason, "timestamp_too_old") == 0;
}

enum outcome diagnosis_refusal_outcome(const struct observed_event *s)
{
    return diagnosis_is_stale(s) ? OUTCOME_STALE : OUTCOME_REFUSED;
}

const char *diagnosis_refusal_name(const struct observed_event *s)
{
    return s->hint[0] != '\0' ? s->hint : diagnosis_is_stale(s) ? "clock" : s->reason;
}

/* ---- hints of the sink's: it has tried these, so they are certain */

static const struct {
    const char *hint, *text;
} diagnosis_hints[] = {
    {"secret_newline", "the sender's copy of the secret has a line end behind it: enter it at %s "
                       "again without"},
    {"secret_decoding", "%s reads this secret in another way than the source's scheme does, as "
                        "text, base64 or hex: choose the scheme that reads it so"},
    {"body_newline", "the body has lost or won a line end on its way: between %s and the sink "
                     "something writes it anew; have the bytes passed on as they are"},
    {"body_crlf", "the body's line ends were changed on its way: between %s and the sink something "
                  "writes it anew; have the bytes passed on as they are"},
    {"body_reencoded", "the body's JSON was parsed and written again on its way: find the proxy or "
                       "gateway between %s and the sink, and have the bytes passed on as they are"},
    {"timestamp_unit", "the signed time is right in another unit: %s counts milliseconds where the "
                       "scheme counts seconds, or the other way round"},
};

static bool diagnosis_explain_hint(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    const char *name = f->provider->title;

    if (strcmp(s->hint, "other_source") == 0) {
        snprintf(text, size,
                 "the signature is that of source %s: either the endpoint's URL should be that "
                 "source's, or the secrets of %s and %s were mixed up",
                 s->hint_source, s->hint_source, s->source);
        return true;
    }
    for (size_t i = 0; i < sizeof(diagnosis_hints) / sizeof(diagnosis_hints[0]); i++) {
        const char *text_of = diagnosis_hints[i].text, *gap = strstr(text_of, "%s");

        if (strcmp(s->hint, diagnosis_hints[i].hint) != 0)
            continue;
        snprintf(text, size, "%.*s%s%s", (int)(gap - text_of), text_of, name, gap + 2);
        return true;
    }
    return false;
}

/* ---- clocks */

static int64_t diagnosis_round_to_s(int64_t us)
{
    return (us + 500000) / 1000000;
}

/* Whose clock is it? The provider's API says what time it has; we know ours, and the sink's. */
static void diagnosis_compare_clocks(const struct observed *f, int64_t ahead_s, char *text,
                                     size_t size)
{
    const struct observed_event *s = &f->seen;
    int64_t provider_us = f->date_us - f->answered_us, sink_us = s->time_us - s->seen_us;
    const char *name = f->provider->title;
    size_t len = strlen(text);

    if (llabs(sink_us) / 1000000 > CLOCKS_AGREE_S)
        snprintf(text + len, size - len,
                 "; the sink's clock is %" PRId64 " s %s that of this machine: set the wrong one",
                 diagnosis_round_to_s(llabs(sink_us)), sink_us > 0 ? "ahead of" : "behind");
    else if (f->date_us == 0)
        snprintf(text + len, size - len, "; compare this clock with a third one");
    else if (llabs(provider_us) / 1000000 <= CLOCKS_AGREE_S)
        snprintf(text + len, size - len,
                 "; %s's API and this machine agree on the time: it is only what signs there%s",
                 name, ahead_s > 0 ? "" : ", or it was held up on its way");
    else if (llabs(diagnosis_round_to_s(provider_us) - ahead_s) <= CLOCKS_AGREE_S)
        snprintf(text + len, size - len,
                 "; %s's API has that time, too, so set the clock of this machine", name);
}

static void diagnosis_explain_stale(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    /* What is signed has no fraction. */
    int64_t ahead_s = s->signed_at - s->time_us / 1000000, by = llabs(ahead_s);

    if (s->signed_at < 0)
        snprintf(text, size, "its signed time is out of the window");
    else if (diagnosis_is_too_new(s))
        snprintf(text, size,
                 "%s's clock is %" PRId64 " s ahead of ours, or ours is %" PRId64 " s behind",
                 f->provider->title, by, by);
    else
        snprintf(text, size,
                 "it was signed %" PRId64 " s before it came: %s's clock is behind, or ours is "
                 "ahead by that",
                 by, f->provider->title);
    if (s->signed_at >= 0)
        diagnosis_compare_clocks(f, ahead_s, text, size);
}

/* ---- the other reasons */

static const struct {
    const char *reason, *text;
} diagnosis_reasons[] = {
    {"signature_mismatch",
     "no secret of this source gives the signature: give the source the "
     "secret that was shown when the endpoint was made or its secret changed"},
    {"missing_header", "its signature headers are missing: something strips them on the way, or "
                       "the source has the scheme of another sender"},
    {"ambiguous_header", "a signature header is there twice: something on the way doubles it"},
    {"invalid_signature_format", "its signature is not written as the scheme of this source "
                                 "writes it: has the source the scheme of this sender?"},
    {"invalid_timestamp", "its time is not written as the scheme of this source writes it: has the "
                          "source the scheme of this sender?"},
    {"webhook_id_mismatch", "the id in its header is not the one in the signed body: something "
                            "on the way changes it"},
    {"invalid_payload", "the signature is right, but the body is not the JSON that the scheme "
                        "promises: has the source the scheme of this sender?"},
    {"not_found", "the endpoint's URL has a path that no source of the sink has: correct it at the "
                  "provider, or give the source that path"},
    {"method_not_allowed", "it came by another method than POST: a redirect on the way does that"},
    {"body_too_large", "its body is longer than limits.body_bytes allows"},
    {"address_not_allowed",
     "the source takes deliveries only from the addresses under allow: add the "
     "one that the sink's line shows, if it is the provider's"},
    {"too_many_refusals", "as many deliveries from its address were refused as "
                          "limits.refused_per_minute allows: mend what was wrong with those"},
    {"too_many_from_address", "more connections of its address are open than "
                              "limits.connections_per_address allows"},
    {"rate_limited", "it is genuine, but more came than the source's rate allows; most providers "
                     "will try again"},
    {"head_too_large", "its path and headers are longer than limits.head_bytes allows"},
    {"request_timeout", "its body did not come in time"},
    {"unavailable", "the sink cannot store at the moment: see what it says on standard error"},
    {"upstream_failed", "the source's sender gets the application's answer, and there is none: "
                        "is the application up?"},
    {"upstream_timeout", "the source's sender gets the application's answer, and it came too late"},
};

static const char *diagnosis_reason_text(const char *reason)
{
    for (size_t i = 0; i < sizeof(diagnosis_reasons) / sizeof(diagnosis_reasons[0]); i++)
        if (strcmp(diagnosis_reasons[i].reason, reason) == 0)
            return diagnosis_reasons[i].text;
    return "see ANSWERS in hooklined(8)";
}

void diagnosis_explain_refusal(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    char why[640];

    if (!diagnosis_explain_hint(f, why, sizeof(why))) {
        if (diagnosis_is_stale(s))
            diagnosis_explain_stale(f, why, sizeof(why));
        else
            snprintf(why, sizeof(why), "%s", diagnosis_reason_text(s->reason));
    }
    snprintf(text, size, "it came%s%s and was %s, %d %s: %s%s",
             s->source[0] == '\0' ? "" : " to source ", s->source,
             s->verdict == OBSERVED_FAILED ? "not stored" : "refused", s->status, s->reason, why,
             observed_is_exact(f) ? "" : "; but it could be another delivery of the same time");
}
