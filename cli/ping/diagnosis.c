/* SPDX-License-Identifier: MIT */
#include "cli/ping/diagnosis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/ping/provider.h"
#include "cli/ping/refusal.h"

static void say(struct diagnosis *d, enum outcome outcome, const char *name, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
static void add(struct diagnosis *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct diagnosis *d, enum outcome outcome, const char *name, const char *format,
                ...)
{
    va_list args;

    d->outcome = outcome;
    d->name = name;
    va_start(args, format);
    vsnprintf(d->text, sizeof(d->text), format, args);
    va_end(args);
}

static void add(struct diagnosis *d, const char *format, ...)
{
    size_t len = strlen(d->text);
    va_list args;

    va_start(args, format);
    vsnprintf(d->text + len, sizeof(d->text) - len, format, args);
    va_end(args);
}

static bool is_good(int status)
{
    return status >= 200 && status < 300;
}

/* ---- the provider did not do it */

static void add_stray(struct diagnosis *d, const struct findings *f)
{
    if (f->match != SIGHTING_NONE && sighting_is_accepted(&f->seen))
        add(d, "; a test delivery has come all the same, stored as %" PRId64, f->seen.seq);
}

static void say_no_answer(struct diagnosis *d, const struct findings *f)
{
    if (f->no_answer[0] == '\0')
        say(d, OUTCOME_TRANSPORT, "no_answer", "%s at %s did not answer within %" PRId64 " s",
            f->provider->title, f->base_url, f->timeout_us / 1000000);
    else
        say(d, OUTCOME_TRANSPORT, "no_answer", "no answer from %s at %s: %s", f->provider->title,
            f->base_url, f->no_answer);
    add_stray(d, f);
}

static void say_odd(struct diagnosis *d, const struct findings *f)
{
    const struct provider_answer *a = &f->answer;

    say(d, OUTCOME_TRANSPORT, "odd_answer", "%s at %s answered %d with %s", f->provider->title,
        f->base_url, a->status, a->said);
    if (a->status >= 500)
        add(d, "; the trouble is there: try again later");
    else if (a->status >= 300 && a->status < 400)
        add(d, "; redirects are not followed: give the address it leads to by --base-url");
    else
        add(d, "; is it the provider's API, and no proxy or login in front of it?");
    add_stray(d, f);
}

/* What can be done about a refusal. */
static const char *way_out(const struct provider *p, const struct provider_answer *a)
{
    static const struct {
        const char *key, *text;
    } urls[] = {
        {"webhook.url.not_https", "it delivers to https:// URLs only: change the webhook's"},
        {"webhook.url.private_ip", "the webhook's URL leads to a private address, which nobody "
                                   "outside can reach: give it a public one"},
        {"webhook.url.unresolvable",
         "the host of the webhook's URL has no address in the DNS: correct it"},
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        if (strstr(a->said, urls[i].key) != NULL)
            return urls[i].text;
    switch (a->status) {
    case 401:
        return "check which key --key names, and whether it is of this environment";
    case 402:
        return "what the key has paid for does not include webhooks";
    case 403:
        return p->kind == PROVIDER_FOIL     ? "the key needs the scope webhooks:manage, and to be "
                                              "of this organization"
               : p->kind == PROVIDER_SHODAI ? "the key needs the scope webhooks.write"
                                            : "the key needs the role Member or Owner and the "
                                              "plan Pro";
    case 404:
        return p->kind == PROVIDER_EMULATED ? "`hookline emulate --for` knows the sources of its "
                                              "configuration only"
                                            : "check --endpoint, and that the key may see it";
    case 429:
        return "wait a while";
    default:
        return NULL;
    }
}

static void say_refused_by_provider(struct diagnosis *d, const struct findings *f)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {401, "does not take the key"},
        {402, "asks for payment"},
        {403, "does not allow it"},
        {404, "knows no such endpoint"},
        {422, "cannot deliver to this endpoint"},
        {429, "is asked too often"},
    };
    const char *text = "refuses", *way = way_out(f->provider, &f->answer);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == f->answer.status)
            text = texts[i].text;
    say(d, OUTCOME_PROVIDER_REFUSED, "provider_refused", "%s %s (%d: %s)%s%s", f->provider->title,
        text, f->answer.status, f->answer.said, way == NULL ? "" : "; ", way == NULL ? "" : way);
}

/* ---- it arrived */

/* The time is over, or it was refused. False if all of them have taken it. */
static bool say_not_forwarded(struct diagnosis *d, const struct findings *f)
{
    const struct findings_destination *waiting = NULL, *to;

    if (!f->destinations_known) {
        say(d, OUTCOME_TIMEOUT, "not_forwarded",
            "stored as %" PRId64 ", but the sink has not told within %" PRId64
            " s who has taken it",
            f->seen.seq, f->timeout_us / 1000000);
        return true;
    }
    if (f->destinations_count == 0) {
        say(d, OUTCOME_REFUSED, "no_destination",
            "stored as %" PRId64 ", but no destination takes what comes from source %s",
            f->seen.seq, f->seen.source);
        return true;
    }
    for (size_t i = 0; i < f->destinations_count; i++) {
        to = &f->destinations[i];
        if (to->state == FINDINGS_PARKED) {
            say(d, OUTCOME_REFUSED, "parked",
                "stored as %" PRId64 ", but %s has not taken it and it is parked: %s; when that is "
                "put right: hookline replay %" PRId64 " --destination %s",
                f->seen.seq, to->name, to->reason[0] == '\0' ? "see `hookline show`" : to->reason,
                f->seen.seq, to->name);
            return true;
        }
        if (to->state != FINDINGS_TAKEN && (waiting == NULL || to->state == FINDINGS_RETRYING))
            waiting = to;
    }
    if (waiting == NULL)
        return false;
    say(d, OUTCOME_TIMEOUT, "not_forwarded",
        "stored as %" PRId64 ", but %s has not taken it within %" PRId64 " s", f->seen.seq,
        waiting->name, f->timeout_us / 1000000);
    if (waiting->reason[0] != '\0')
        add(d, ": %s; it is tried again", waiting->reason);
    return true;
}

/* Of what the provider says; false if it agrees, or says nothing. */
static bool say_disagreement(struct diagnosis *d, const struct findings *f)
{
    const struct provider_view *v = &f->view;
    const char *name = f->provider->title;

    if (v->status == 0 && (v->state == PROVIDER_FAILED || v->state == PROVIDER_RETRYING))
        say(d, OUTCOME_PROVIDER_REFUSED, "answer_lost",
            "stored as %" PRId64 ", but %s reports that nobody answered%s%s: our answer came too "
            "late for it, or was lost on its way; it may send the delivery again",
            f->seen.seq, name, v->error[0] == '\0' ? "" : ", ", v->error);
    else if (v->status > 0 && !is_good(v->status) && f->match == SIGHTING_BY_RECEIPT)
        say(d, OUTCOME_REFUSED, "application_failed",
            "stored as %" PRId64 ", but the source answers for the application behind it: %s got "
            "%d, %s",
            f->seen.seq, name, v->status, v->body);
    else if (v->status > 0 && !is_good(v->status))
        say(d, OUTCOME_PROVIDER_REFUSED, "answer_replaced",
            "stored as %" PRId64 " and answered %d, but %s got %d%s%s: look for what answers "
            "between the two, or, with answer: upstream, at the application",
            f->seen.seq, f->seen.status, name, v->status, v->body[0] == '\0' ? "" : ", ", v->body);
    else
        return false;
    return true;
}

static void add_parked(struct diagnosis *d, const struct findings *f)
{
    for (size_t i = 0; i < f->destinations_count; i++)
        if (f->destinations[i].state == FINDINGS_PARKED ||
            f->destinations[i].state == FINDINGS_RETRYING)
            add(d, "; %s has not taken it yet%s%s", f->destinations[i].name,
                f->destinations[i].reason[0] == '\0' ? "" : ": ", f->destinations[i].reason);
}

static void say_arrived(struct diagnosis *d, const struct findings *f)
{
    const struct sighting *s = &f->seen;

    if (say_disagreement(d, f))
        return;
    if (f->forwarded && f->sink_problem[0] != '\0') {
        say(d, OUTCOME_TRANSPORT, "sink_lost", "stored as %" PRId64 ", but then: %s", s->seq,
            f->sink_problem);
        return;
    }
    if (f->forwarded && say_not_forwarded(d, f))
        return;
    say(d, OUTCOME_GOOD, "confirmed",
        "confirmed: %s's test delivery came to source %s, was verified and %s %" PRId64
        " within %" PRId64 " ms",
        f->provider->title, s->source,
        s->verdict == SIGHTING_STORED ? "stored as" : "found to be a duplicate of", s->seq,
        (findings_settled_us(f) - f->triggered_us) / 1000);
    if (f->forwarded)
        add(d, ", and taken by %s",
            f->destinations_count == 1 ? f->destinations[0].name : "all destinations");
    else
        add_parked(d, f);
    if (strcmp(s->source, f->source) != 0)
        add(d, "; it was expected at source %s", f->source);
    if (!s->fresh)
        add(d, "; nothing signed tells its age");
    if (!findings_is_exact(f))
        add(d, "; but it could be another test delivery of the same time");
}

/* ---- nothing arrived */

static void say_not_reached(struct diagnosis *d, const struct findings *f)
{
    bool told = f->view.error[0] != '\0';

    say(d, OUTCOME_PROVIDER_REFUSED, "unreachable",
        "%s could not deliver%s%s%s: nobody answers at the endpoint's URL, as seen from there; "
        "check its host and port, DNS, certificate and firewall",
        f->provider->title, told ? " (" : "", f->view.error, told ? ")" : "");
}

static void say_elsewhere(struct diagnosis *d, const struct findings *f)
{
    const struct provider_view *v = &f->view;

    if (is_good(v->status) || v->state == PROVIDER_DELIVERED)
        say(d, OUTCOME_TIMEOUT, "elsewhere",
            "%s has delivered it, but not to this sink: somebody else answered",
            f->provider->title);
    else
        say(d, OUTCOME_TIMEOUT, "elsewhere",
            "%s did not get through to this sink: somebody else "
            "answered",
            f->provider->title);
    if (v->status > 0)
        add(d, " %d", v->status);
    if (v->body[0] != '\0')
        add(d, " (%s)", v->body);
    add(d, "; compare the endpoint's URL with where %s listens, and what stands in between",
        f->sink);
}

static void say_nothing_came(struct diagnosis *d, const struct findings *f)
{
    const struct provider_view *v = &f->view;

    if (v->state == PROVIDER_SKIPPED) {
        say(d, OUTCOME_PROVIDER_REFUSED, "disabled",
            "%s has not sent it (%s): is the endpoint disabled?", f->provider->title, v->word);
    } else if (v->status == 0) {
        say_not_reached(d, f);
    } else if (v->status > 0 || v->state == PROVIDER_DELIVERED) {
        say_elsewhere(d, f);
    } else {
        say(d, OUTCOME_TIMEOUT, "nothing_came",
            "nothing came to source %s within %" PRId64
            " s; %s took the order and says no more%s%s",
            f->source, f->timeout_us / 1000000, f->provider->title,
            v->word[0] == '\0' ? "" : " than ", v->word);
        if (f->view_problem[0] != '\0')
            add(d, " (%s)", f->view_problem);
    }
    if (f->lost > 0)
        add(d, "; the sink was too busy to tell of %" PRIu64 " other events", f->lost);
}

static bool came_to_another_source(const struct findings *f)
{
    return (f->match == SIGHTING_BY_TIME || f->match == SIGHTING_BY_TIME_ONLY) &&
           sighting_is_accepted(&f->seen) && strcmp(f->seen.source, f->source) != 0;
}

void diagnosis_make(struct diagnosis *d, const struct findings *f)
{
    d->text[0] = '\0';
    if (!f->answered)
        say_no_answer(d, f);
    else if (f->answer.kind == PROVIDER_ODD)
        say_odd(d, f);
    else if (f->answer.kind == PROVIDER_REFUSED)
        say_refused_by_provider(d, f);
    else if (came_to_another_source(f))
        say(d, OUTCOME_TIMEOUT, "other_source_url",
            "nothing came to source %s, but a test delivery to source %s meanwhile: if it is that, "
            "give --source %s",
            f->source, f->seen.source, f->seen.source);
    else if (f->match != SIGHTING_NONE && sighting_is_accepted(&f->seen))
        say_arrived(d, f);
    else if (f->match != SIGHTING_NONE)
        say(d, refusal_outcome(&f->seen), refusal_name(&f->seen), "%s", "");
    else if (f->sink_problem[0] != '\0')
        say(d, OUTCOME_TRANSPORT, "sink_lost", "%s", f->sink_problem);
    else
        say_nothing_came(d, f);
    if (d->text[0] == '\0')
        refusal_explain(f, d->text, sizeof(d->text));
}
