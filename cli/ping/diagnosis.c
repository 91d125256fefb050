/* SPDX-License-Identifier: MIT */
#include "cli/ping/diagnosis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping/provider.h"
#include "daemon/hints/diagnose_cause.h"

/* ---- refusals by the sink */

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

static enum outcome diagnosis_refusal_outcome(const struct observed_event *s)
{
    return diagnosis_is_stale(s) ? OUTCOME_STALE : OUTCOME_REFUSED;
}

/* Stable name: the sink's hint, "clock", or the reason. */
static const char *diagnosis_refusal_name(const struct observed_event *s)
{
    return s->hint[0] != '\0' ? s->hint : diagnosis_is_stale(s) ? "clock" : s->reason;
}

/* ---- hints: hooklined undid the mistake and the signature then matched */

static const struct {
    const char *hint, *text;
} diagnosis_hints[] = {
    {"secret_newline",
     "the secret stored at %s ends with a newline: enter it there again without one"},
    {"secret_decoding", "%s decodes this secret differently (as text, base64 or hex) than the "
                        "source's scheme: choose the scheme that decodes it the same way"},
    {"body_newline",
     "a trailing newline of the body was added or removed in transit: something between %s and the "
     "sink rewrites the body; make it pass the bytes through unchanged"},
    {"body_crlf", "the body's line endings were converted in transit: something between %s and the "
                  "sink rewrites the body; make it pass the bytes through unchanged"},
    {"body_reencoded",
     "the JSON body was parsed and written again in transit: find the proxy or gateway between %s "
     "and the sink and make it pass the bytes through unchanged"},
    {"timestamp_unit", "the signed time is right but in the wrong unit: %s counts milliseconds "
                       "where the scheme counts seconds, or the reverse"},
};

static bool diagnosis_explain_hint(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    const char *name = f->provider->title;
    const char *cause = diagnose_cause_text(diagnose_cause_find(s->hint));

    if (strcmp(s->hint, "other_source") == 0) {
        snprintf(text, size,
                 "the signature matches source %s: either the endpoint's URL should be that "
                 "source's, or the secrets of %s and %s are swapped",
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
    if (cause != NULL)
        snprintf(text, size, "%s", cause);
    return cause != NULL;
}

/* ---- clocks */

static int64_t diagnosis_round_to_s(int64_t us)
{
    return (us + 500000) / 1000000;
}

/* Appends whose clock is wrong, as far as the Date header of the provider's API shows. */
static void diagnosis_compare_clocks(const struct observed *f, int64_t ahead_s, char *text,
                                     size_t size)
{
    const struct observed_event *s = &f->seen;
    int64_t provider_us = f->date_us - f->answered_us, sink_us = s->time_us - s->seen_us;
    const char *name = f->provider->title;
    size_t len = strlen(text);

    if (llabs(sink_us) / 1000000 > CLOCKS_AGREE_S)
        snprintf(text + len, size - len,
                 "; the sink's clock is %" PRId64 " s %s this machine's: correct the wrong one",
                 diagnosis_round_to_s(llabs(sink_us)), sink_us > 0 ? "ahead of" : "behind");
    else if (f->date_us == 0)
        snprintf(text + len, size - len, "; compare this machine's clock with a third one");
    else if (llabs(provider_us) / 1000000 <= CLOCKS_AGREE_S)
        snprintf(
            text + len, size - len,
            "; the clock of %s's API agrees with this machine's: only its signing host is wrong%s",
            name, ahead_s > 0 ? "" : ", or the delivery was delayed in transit");
    else if (llabs(diagnosis_round_to_s(provider_us) - ahead_s) <= CLOCKS_AGREE_S)
        snprintf(text + len, size - len,
                 "; %s's API is off by the same amount: correct this machine's clock", name);
}

static void diagnosis_explain_stale(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    /* Signed times are whole seconds. */
    int64_t ahead_s = s->signed_at - s->time_us / 1000000, by = llabs(ahead_s);

    if (s->signed_at < 0)
        snprintf(text, size, "its signed time is outside the accepted window");
    else if (diagnosis_is_too_new(s))
        snprintf(text, size,
                 "%s's clock is %" PRId64 " s ahead of the sink's, or the sink's is %" PRId64
                 " s behind",
                 f->provider->title, by, by);
    else
        snprintf(text, size,
                 "it was signed %" PRId64
                 " s before it arrived: %s's clock is behind by that, or the sink's is ahead",
                 by, f->provider->title);
    if (s->signed_at >= 0)
        diagnosis_compare_clocks(f, ahead_s, text, size);
}

/* ---- reasons */

static const struct {
    const char *reason, *text;
} diagnosis_reasons[] = {
    {"signature_mismatch", "no secret of this source produces the signature: configure the secret "
                           "that was shown when the endpoint was created or its secret rotated"},
    {"missing_header", "its signature headers are missing: a proxy strips them, or the source uses "
                       "another sender's scheme"},
    {"ambiguous_header", "a signature header appears twice: something in transit duplicates it"},
    {"invalid_signature_format", "its signature does not have the format of the source's scheme: "
                                 "is that the scheme of this sender?"},
    {"invalid_timestamp", "its time does not have the format of the source's scheme: is that the "
                          "scheme of this sender?"},
    {"webhook_id_mismatch", "the id in its header differs from the id in the signed body: "
                            "something in transit changes it"},
    {"invalid_payload", "the signature is valid, but the body lacks the id or time that the scheme "
                        "requires: is that the scheme of this sender?"},
    {"not_found", "no source of the sink has the path of the endpoint's URL: correct the URL at "
                  "the provider, or give the source that path"},
    {"method_not_allowed", "its method was not POST: look for a redirect in transit"},
    {"body_too_large", "its body exceeds limits.body_bytes"},
    {"address_not_allowed", "its address is not in the source's `allow` list: add the address in "
                            "the sink's log line if it is the provider's"},
    {"too_many_refusals",
     "its address has reached limits.refused_per_minute: fix the cause of the earlier refusals"},
    {"too_many_from_address", "its address has reached limits.connections_per_address"},
    {"rate_limited", "it is genuine, but exceeds the source's rate; most providers retry"},
    {"head_too_large", "its path and headers exceed limits.head_bytes"},
    {"request_timeout", "its body did not arrive in time"},
    {"unavailable", "the sink cannot store deliveries at the moment: see its standard error"},
    {"upstream_failed",
     "the source relays the application's answer, but the application gave none: is it running?"},
    {"upstream_timeout", "the source relays the application's answer, but it came too late"},
};

static const char *diagnosis_reason_text(const char *reason)
{
    for (size_t i = 0; i < sizeof(diagnosis_reasons) / sizeof(diagnosis_reasons[0]); i++)
        if (strcmp(diagnosis_reasons[i].reason, reason) == 0)
            return diagnosis_reasons[i].text;
    return "see ANSWERS in hooklined(8)";
}

/* One sentence about the refused delivery. */
static void diagnosis_explain_refusal(const struct observed *f, char *text, size_t size)
{
    const struct observed_event *s = &f->seen;
    char why[640];

    if (!diagnosis_explain_hint(f, why, sizeof(why))) {
        if (diagnosis_is_stale(s))
            diagnosis_explain_stale(f, why, sizeof(why));
        else
            snprintf(why, sizeof(why), "%s", diagnosis_reason_text(s->reason));
    }
    snprintf(text, size, "the delivery arrived%s%s and was %s (%d %s): %s%s",
             s->source[0] == '\0' ? "" : " at source ", s->source,
             s->verdict == VERDICT_FAILED ? "not stored" : "refused", s->status, s->reason, why,
             observed_is_exact(f) ? ""
                                  : "; but it may be another delivery that arrived at that time");
}

/* ---- diagnosis */

static void diagnosis_set(struct diagnosis *d, enum outcome outcome, const char *name,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
static void diagnosis_append(struct diagnosis *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void diagnosis_set(struct diagnosis *d, enum outcome outcome, const char *name,
                          const char *format, ...)
{
    va_list args;

    d->outcome = outcome;
    d->name = name;
    va_start(args, format);
    vsnprintf(d->text, sizeof(d->text), format, args);
    va_end(args);
}

static void diagnosis_append(struct diagnosis *d, const char *format, ...)
{
    size_t len = strlen(d->text);
    va_list args;

    va_start(args, format);
    vsnprintf(d->text + len, sizeof(d->text) - len, format, args);
    va_end(args);
}

/* ---- provider refused or gave no answer */

static void diagnosis_append_stray(struct diagnosis *d, const struct observed *f)
{
    if (f->match != OBSERVED_MATCH_NONE && observed_event_is_accepted(&f->seen))
        diagnosis_append(d, "; a test delivery arrived anyway, stored as %" PRId64, f->seen.seq);
}

static void diagnosis_set_no_answer(struct diagnosis *d, const struct observed *f)
{
    if (f->no_answer[0] == '\0')
        diagnosis_set(d, OUTCOME_TRANSPORT, "no_answer",
                      "%s at %s did not answer within %" PRId64 " s", f->provider->title,
                      f->base_url, f->timeout_us / 1000000);
    else
        diagnosis_set(d, OUTCOME_TRANSPORT, "no_answer", "no answer from %s at %s: %s",
                      f->provider->title, f->base_url, f->no_answer);
    diagnosis_append_stray(d, f);
}

static void diagnosis_set_odd_answer(struct diagnosis *d, const struct observed *f)
{
    const struct provider_answer *a = &f->answer;

    diagnosis_set(d, OUTCOME_TRANSPORT, "odd_answer", "%s at %s answered %d with %s",
                  f->provider->title, f->base_url, a->status, a->said);
    if (a->status >= 500)
        diagnosis_append(d, "; the error is on its side: try again later");
    else if (a->status >= 300 && a->status < 400)
        diagnosis_append(d, "; redirects are not followed: pass the target with --base-url");
    else
        diagnosis_append(
            d, "; is that the provider's API, without a proxy or login page in front of it?");
    diagnosis_append_stray(d, f);
}

/* The remedy for a refusal, or NULL. */
static const char *diagnosis_advice(const struct provider *p, const struct provider_answer *a)
{
    static const struct {
        const char *key, *text;
    } urls[] = {
        {"webhook.url.not_https", "it delivers to https:// only: change the webhook's URL"},
        {"webhook.url.private_ip",
         "the webhook's URL resolves to a private address: give it a public one"},
        {"webhook.url.unresolvable",
         "the host of the webhook's URL does not resolve in DNS: correct it"},
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        if (strstr(a->said, urls[i].key) != NULL)
            return urls[i].text;
    switch (a->status) {
    case 401:
        return "check that --key names a valid key of this environment";
    case 402:
        return "the key's plan does not include webhooks";
    case 403:
        return p->kind == PROVIDER_FOIL
                   ? "the key needs the scope webhooks:manage and must belong to this organization"
               : p->kind == PROVIDER_SHODAI
                   ? "the key needs the scope webhooks.write"
                   : "the key needs the role Member or Owner, and the Pro plan";
    case 404:
        return p->kind == PROVIDER_EMULATED
                   ? "`hookline emulate --for` knows only the sources of its configuration"
                   : "check --endpoint, and that the key can access it";
    case 429:
        return "wait a minute and try again";
    default:
        return NULL;
    }
}

static void diagnosis_set_provider_refused(struct diagnosis *d, const struct observed *f)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {401, "rejects the API key"},
        {402, "requires payment"},
        {403, "denies permission"},
        {404, "does not know the endpoint"},
        {422, "cannot deliver to this endpoint"},
        {429, "limits the request rate"},
    };
    const char *text = "refuses the request", *way = diagnosis_advice(f->provider, &f->answer);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == f->answer.status)
            text = texts[i].text;
    diagnosis_set(d, OUTCOME_PROVIDER_REFUSED, "provider_refused", "%s %s (%d: %s)%s%s",
                  f->provider->title, text, f->answer.status, f->answer.said,
                  way == NULL ? "" : "; ", way == NULL ? "" : way);
}

/* ---- delivery arrived */

/* Returns false if every destination has accepted the delivery. */
static bool diagnosis_set_not_forwarded(struct diagnosis *d, const struct observed *f)
{
    const struct observed_destination *waiting = NULL, *to;

    if (!f->destinations_known) {
        diagnosis_set(d, OUTCOME_TIMEOUT, "not_forwarded",
                      "stored as %" PRId64
                      ", but the sink did not list its destinations within %" PRId64 " s",
                      f->seen.seq, f->timeout_us / 1000000);
        return true;
    }
    if (f->destinations_count == 0) {
        diagnosis_set(d, OUTCOME_REFUSED, "no_destination",
                      "stored as %" PRId64 ", but no destination takes deliveries of source %s",
                      f->seen.seq, f->seen.source);
        return true;
    }
    for (size_t i = 0; i < f->destinations_count; i++) {
        to = &f->destinations[i];
        if (to->state == OBSERVED_PARKED) {
            diagnosis_set(d, OUTCOME_REFUSED, "parked",
                          "stored as %" PRId64
                          ", but parked for %s: %s; fix that, then run: hookline replay %" PRId64
                          " --destination %s",
                          f->seen.seq, to->name,
                          to->reason[0] == '\0' ? "see `hookline show`" : to->reason, f->seen.seq,
                          to->name);
            return true;
        }
        if (to->state != OBSERVED_TAKEN && (waiting == NULL || to->state == OBSERVED_RETRYING))
            waiting = to;
    }
    if (waiting == NULL)
        return false;
    diagnosis_set(d, OUTCOME_TIMEOUT, "not_forwarded",
                  "stored as %" PRId64 ", but %s did not accept it within %" PRId64 " s",
                  f->seen.seq, waiting->name, f->timeout_us / 1000000);
    if (waiting->reason[0] != '\0')
        diagnosis_append(d, ": %s; hooklined will retry", waiting->reason);
    return true;
}

/* Returns false if the provider's report agrees with the sink's, or is missing. */
static bool diagnosis_set_disagreement(struct diagnosis *d, const struct observed *f)
{
    const struct provider_view *v = &f->view;
    const char *name = f->provider->title;

    if (v->status == 0 && (v->state == PROVIDER_FAILED || v->state == PROVIDER_RETRYING))
        diagnosis_set(d, OUTCOME_PROVIDER_REFUSED, "answer_lost",
                      "stored as %" PRId64
                      ", but %s reports no answer%s%s: the sink's answer came too late or was lost "
                      "in transit; expect the delivery again",
                      f->seen.seq, name, v->error[0] == '\0' ? "" : ", ", v->error);
    else if (v->status > 0 && !provider_status_is_2xx(v->status) &&
             f->match == OBSERVED_MATCH_RECEIPT)
        diagnosis_set(d, OUTCOME_REFUSED, "application_failed",
                      "stored as %" PRId64
                      ", but the source relays the application's answer: %s got %d, %s",
                      f->seen.seq, name, v->status, v->body);
    else if (v->status > 0 && !provider_status_is_2xx(v->status))
        diagnosis_set(
            d, OUTCOME_PROVIDER_REFUSED, "answer_replaced",
            "stored as %" PRId64 " and answered %d, but %s got %d%s%s: find what answers in "
            "between or, with `answer: upstream`, check the application",
            f->seen.seq, f->seen.status, name, v->status, v->body[0] == '\0' ? "" : ", ", v->body);
    else
        return false;
    return true;
}

static void diagnosis_append_parked(struct diagnosis *d, const struct observed *f)
{
    for (size_t i = 0; i < f->destinations_count; i++)
        if (f->destinations[i].state == OBSERVED_PARKED ||
            f->destinations[i].state == OBSERVED_RETRYING)
            diagnosis_append(d, "; %s has not accepted it yet%s%s", f->destinations[i].name,
                             f->destinations[i].reason[0] == '\0' ? "" : ": ",
                             f->destinations[i].reason);
}

static void diagnosis_set_arrived(struct diagnosis *d, const struct observed *f)
{
    const struct observed_event *s = &f->seen;

    if (diagnosis_set_disagreement(d, f))
        return;
    if (f->forwarded && f->sink_problem[0] != '\0') {
        diagnosis_set(d, OUTCOME_TRANSPORT, "sink_lost", "stored as %" PRId64 ", but then: %s",
                      s->seq, f->sink_problem);
        return;
    }
    if (f->forwarded && diagnosis_set_not_forwarded(d, f))
        return;
    diagnosis_set(d, OUTCOME_GOOD, "confirmed",
                  "confirmed: %s's test delivery reached source %s, was verified and %s %" PRId64
                  " in %" PRId64 " ms",
                  f->provider->title, s->source,
                  s->verdict == VERDICT_STORED ? "stored as" : "found to be a duplicate of", s->seq,
                  (observed_settled_us(f) - f->triggered_us) / 1000);
    if (f->forwarded)
        diagnosis_append(d, ", and accepted by %s",
                         f->destinations_count == 1 ? f->destinations[0].name : "all destinations");
    else
        diagnosis_append_parked(d, f);
    if (strcmp(s->source, f->source) != 0)
        diagnosis_append(d, "; expected at source %s", f->source);
    if (!s->fresh)
        diagnosis_append(d, "; its age is unknown, since no time is signed");
    if (!observed_is_exact(f))
        diagnosis_append(d, "; but it may be another test delivery that arrived at that time");
}

/* ---- nothing arrived */

static void diagnosis_set_not_reached(struct diagnosis *d, const struct observed *f)
{
    bool told = f->view.error[0] != '\0';

    diagnosis_set(d, OUTCOME_PROVIDER_REFUSED, "unreachable",
                  "%s could not deliver%s%s%s: the endpoint's URL is unreachable from there; check "
                  "its host, port, DNS, certificate and firewall",
                  f->provider->title, told ? " (" : "", f->view.error, told ? ")" : "");
}

static void diagnosis_set_elsewhere(struct diagnosis *d, const struct observed *f)
{
    const struct provider_view *v = &f->view;

    if (provider_status_is_2xx(v->status) || v->state == PROVIDER_DELIVERED)
        diagnosis_set(d, OUTCOME_TIMEOUT, "elsewhere",
                      "%s delivered it, but not to this sink: another server answered",
                      f->provider->title);
    else
        diagnosis_set(d, OUTCOME_TIMEOUT, "elsewhere",
                      "%s did not reach this sink: another server answered", f->provider->title);
    if (v->status > 0)
        diagnosis_append(d, " %d", v->status);
    if (v->body[0] != '\0')
        diagnosis_append(d, " (%s)", v->body);
    diagnosis_append(
        d, "; check that the endpoint's URL leads to the sink at %s, and any proxy in between",
        f->sink);
}

/* A wrong path in the endpoint's URL looks like this. */
static void diagnosis_append_not_found(struct diagnosis *d, const struct observed *f)
{
    size_t count = 0;

    for (size_t i = 0; i < f->events.count; i++)
        count += strcmp(f->events.at[i].reason, "not_found") == 0;
    if (count > 0)
        diagnosis_append(d,
                         "; meanwhile %zu request%s came to a path of no source: compare the "
                         "endpoint's URL with the source's path",
                         count, count == 1 ? "" : "s");
}

static void diagnosis_set_nothing_came(struct diagnosis *d, const struct observed *f)
{
    const struct provider_view *v = &f->view;

    if (v->state == PROVIDER_SKIPPED) {
        diagnosis_set(d, OUTCOME_PROVIDER_REFUSED, "disabled",
                      "%s did not send it (%s): is the endpoint disabled?", f->provider->title,
                      v->word);
    } else if (v->status == 0) {
        diagnosis_set_not_reached(d, f);
    } else if (v->status > 0 || v->state == PROVIDER_DELIVERED) {
        diagnosis_set_elsewhere(d, f);
    } else {
        diagnosis_set(d, OUTCOME_TIMEOUT, "nothing_came",
                      "nothing reached source %s within %" PRId64
                      " s; %s accepted the request but reported %s%s",
                      f->source, f->timeout_us / 1000000, f->provider->title,
                      v->word[0] == '\0' ? "no result" : "only ", v->word);
        if (f->answer.delivery_id[0] != '\0')
            diagnosis_append(d, " for delivery %s", f->answer.delivery_id);
        if (f->view_problem[0] != '\0')
            diagnosis_append(d, " (%s)", f->view_problem);
        diagnosis_append_not_found(d, f);
    }
    if (f->lost > 0)
        diagnosis_append(d, "; the sink was too busy to report %" PRIu64 " other events", f->lost);
}

static bool diagnosis_is_elsewhere(const struct observed *f)
{
    return (f->match == OBSERVED_MATCH_TIME || f->match == OBSERVED_MATCH_TIME_ONLY) &&
           observed_event_is_accepted(&f->seen) && strcmp(f->seen.source, f->source) != 0;
}

void diagnosis_make(struct diagnosis *d, const struct observed *f)
{
    d->text[0] = '\0';
    if (!f->answered)
        diagnosis_set_no_answer(d, f);
    else if (f->answer.kind == PROVIDER_ODD)
        diagnosis_set_odd_answer(d, f);
    else if (f->answer.kind == PROVIDER_REFUSED)
        diagnosis_set_provider_refused(d, f);
    else if (diagnosis_is_elsewhere(f))
        diagnosis_set(d, OUTCOME_TIMEOUT, "other_source_url",
                      "nothing reached source %s, but a test delivery reached source %s meanwhile: "
                      "if it is that one, pass --source %s",
                      f->source, f->seen.source, f->seen.source);
    else if (f->match != OBSERVED_MATCH_NONE && observed_event_is_accepted(&f->seen))
        diagnosis_set_arrived(d, f);
    else if (f->match != OBSERVED_MATCH_NONE)
        diagnosis_set(d, diagnosis_refusal_outcome(&f->seen), diagnosis_refusal_name(&f->seen),
                      "%s", "");
    else if (f->sink_problem[0] != '\0')
        diagnosis_set(d, OUTCOME_TRANSPORT, "sink_lost", "%s", f->sink_problem);
    else
        diagnosis_set_nothing_came(d, f);
    if (d->text[0] == '\0')
        diagnosis_explain_refusal(f, d->text, sizeof(d->text));
}
