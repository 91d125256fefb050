/* SPDX-License-Identifier: MIT
 *
 * A description that is accepted gives the content of a delivery one reading: no two different
 * deliveries share signed bytes.
 *
 * Random descriptions with small alphabets meet random deliveries. Each content is split in every
 * way that the description permits; two splits that pass the checks of a request are a forgery.
 * $AMBIGUITY_TRIES deliveries are tried, from $AMBIGUITY_SEED on.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/content.h"
#include "lib/scheme.h"
#include "tests/run.h"

enum {
    TRIES = 60000,
    DELIVERIES = 40, /* of each description */
    CONTENT_MAX = 1024,
    VALUE_MAX = 6,
};

/* Equal digits: a time that is shifted by a digit is another time of the window. */
static const int64_t now = 1111111111, window_s = 86400;

/* A portable generator: the same seed gives the same numbers. */
static uint64_t seed;

static unsigned below(unsigned limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % limit;
}

/* Appends to `out`, which is large enough, and returns the number of bytes. */
static size_t put(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t put(char *out, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(out, CONTENT_MAX, format, args);
    va_end(args);
    return (size_t)len;
}

/* ---- description */

static const char *const placeholders[] = {"{id}",       "{timestamp}", "{method}",   "{url}",
                                           "{header:A}", "{header:B}",  "{timestamp}"};
static const char *const texts[] = {".",   ":", "-", "_",  "1",  "a",  "Z",
                                    "v0:", "T", "+", "1.", ".1", "\\n"};
static const char *const units[] = {"seconds", "milliseconds", "rfc3339", "any"};
static const char *const urls[] = {"http://h/1", "/a", "a.1", "https://h:1/-"};

static const char *part_at_random(void)
{
    return below(2) == 0 ? placeholders[below(COUNT(placeholders))] : texts[below(COUNT(texts))];
}

/* Returns false for a description that is refused. */
static bool make_scheme(struct scheme *s, char description[2 * CONTENT_MAX])
{
    char content[2 * CONTENT_MAX] = "", why[256];
    size_t len = 0;
    unsigned before = below(4), after = below(4);

    for (unsigned i = 0; i < before; i++)
        len += put(content + len, "%s", part_at_random());
    len += put(content + len, "%s", "{body}");
    for (unsigned i = 0; i < after; i++)
        len += put(content + len, "%s", part_at_random());
    snprintf(description, 2 * CONTENT_MAX, "signature S; encoding hex; content %s%s%s%s%s", content,
             strstr(content, "{id}") != NULL ? "; id header I" : "",
             strstr(content, "{timestamp}") != NULL ? "; timestamp header T " : "",
             strstr(content, "{timestamp}") != NULL ? units[below(COUNT(units))] : "", "");
    return hookline_scheme_parse(s, description, why, sizeof(why));
}

/* ---- delivery */

struct values {
    hookline_bytes part[SCHEME_PARTS_MAX]; /* of the parts that a sender chooses */
};

static char url[16];

static size_t find_value(const void *headers, const char *name, hookline_bytes *value)
{
    const struct values *values = headers;

    *value = values->part[name[0] - 'A'];
    return 1;
}

static bool is_same(hookline_bytes a, hookline_bytes b)
{
    return a.len == b.len && memcmp(a.base, b.base, a.len) == 0;
}

/* Returns true if a request with these values is read, and its time lies in the window. */
static bool is_possible(const struct scheme *s, const struct values *values)
{
    struct values by_header = {{{NULL, 0}}};
    hookline_request req = {
        .find_header = find_value, .headers = &by_header, .url = {url, strlen(url)}};
    hookline_bytes time = {NULL, 0}, id = {NULL, 0}, part[SCHEME_PARTS_MAX];
    int64_t at;

    for (size_t i = 0; i < s->parts; i++) {
        switch (s->content[i].kind) {
        case PART_TIMESTAMP:
            time = values->part[i];
            if (!hookline_timestamp_read(s->timestamp.unit, time, &at) || at < now - window_s ||
                at > now + window_s)
                return false;
            break;
        case PART_ID:
            id = values->part[i];
            if (!hookline_content_id_is_sound(id))
                return false;
            break;
        case PART_HEADER:
            by_header.part[s->content[i].text[0] - 'A'] = values->part[i];
            break;
        case PART_METHOD:
            if (values->part[i].len == 0 ||
                (req.method.base != NULL && !is_same(req.method, values->part[i])))
                return false;
            req.method = values->part[i];
            break;
        case PART_BODY:
            req.body = values->part[i];
            break;
        default:
            break;
        }
    }
    return hookline_content_gather(s, &req, time, id, part) == 0;
}

static size_t write_time(enum time_unit unit, char *out)
{
    int64_t at = now + (int64_t)below(2001) - 1000;
    static const char *const forms[] = {"2005-03-18T01:58:31Z", "2005-03-18T01:58:31.1Z",
                                        "2005-03-18t02:58:31+01:00",
                                        "2005-03-18T00:58:31.11-01:00"};

    if (below(2) == 0)
        at = now;
    if (unit == TIME_RFC3339 || (unit == TIME_ANY && below(3) == 0))
        return put(out, "%s", forms[below(COUNT(forms))]);
    if (unit == TIME_MILLISECONDS || (unit == TIME_ANY && below(2) == 0))
        return put(out, "%" PRId64 "%03u", at, below(2) == 0 ? 111 : below(1000));
    return put(out, "%" PRId64, at);
}

static size_t write_method(char *out)
{
    static const char *const methods[] = {"POST", "PUT", "GET", "DELETE", "P", "POSTP"};

    return put(out, "%s", methods[below(COUNT(methods))]);
}

/* A value, with pieces of its neighbours. */
static size_t write_value(const struct scheme *s, size_t i, char *out)
{
    static const char letters[] = "1a-_.:ZT+/";
    size_t len = 0;

    for (unsigned n = below(VALUE_MAX) + (s->content[i].kind != PART_BODY); n > 0; n--) {
        unsigned what = below(12);
        size_t other = below((unsigned)s->parts);

        if (what == 0)
            len += write_time(s->timestamp.unit, out + len);
        else if (what == 1)
            len += put(out + len, "%s", url);
        else if (what == 3)
            len += write_method(out + len);
        else if (what == 2 && s->content[other].kind == PART_LITERAL)
            len += put(out + len, "%.*s", (int)s->content[other].len, s->content[other].text);
        else
            out[len++] = letters[below(sizeof(letters) - 1)];
    }
    return len;
}

/* Writes the content of a random delivery. Returns 0 if its request is refused. */
static size_t make_content(const struct scheme *s, char content[2 * CONTENT_MAX],
                           struct values *values)
{
    size_t len = 0;

    for (size_t i = 0; i < s->parts; i++) {
        size_t from = len;

        switch (s->content[i].kind) {
        case PART_LITERAL:
            memcpy(content + len, s->content[i].text, s->content[i].len);
            len += s->content[i].len;
            break;
        case PART_URL:
            len += put(content + len, "%s", url);
            break;
        case PART_TIMESTAMP:
            len += write_time(s->timestamp.unit, content + len);
            break;
        case PART_METHOD:
            len += write_method(content + len);
            break;
        default:
            len += write_value(s, i, content + len);
        }
        values->part[i] = (hookline_bytes){content + from, len - from};
    }
    return is_possible(s, values) ? len : 0;
}

/* ---- splits */

struct split {
    const struct scheme *s;
    const char *content;
    size_t len;
    struct values values;
    unsigned found; /* possible deliveries with this content */
};

static void split_rest(struct split *split, size_t i, size_t at);

static void split_constant(struct split *split, size_t i, size_t at, const char *text, size_t len)
{
    if (split->len - at >= len && memcmp(split->content + at, text, len) == 0)
        split_rest(split, i + 1, at + len);
}

/* Reads the content from part i and byte `at` on, in every way. */
static void split_rest(struct split *split, size_t i, size_t at)
{
    const struct part *part = &split->s->content[i];

    if (i == split->s->parts) {
        split->found += at == split->len && is_possible(split->s, &split->values);
        return;
    }
    if (part->kind == PART_LITERAL) {
        split_constant(split, i, at, part->text, part->len);
        return;
    }
    if (part->kind == PART_URL) {
        split_constant(split, i, at, url, strlen(url));
        return;
    }
    for (size_t end = at; end <= split->len; end++) {
        int64_t seconds;
        hookline_bytes value = {split->content + at, end - at};

        split->values.part[i] = value;
        if (part->kind != PART_TIMESTAMP ||
            hookline_timestamp_read(split->s->timestamp.unit, value, &seconds))
            split_rest(split, i + 1, end);
    }
}

static unsigned long tries_wanted(void)
{
    const char *text = getenv("AMBIGUITY_TRIES");

    return text == NULL ? TRIES : strtoul(text, NULL, 10);
}

START_TEST(no_two_deliveries_share_their_signed_bytes)
{
    const unsigned long wanted = tries_wanted();
    const char *first = getenv("AMBIGUITY_SEED");
    unsigned long tries = 0, accepted = 0, refused = 0;
    char description[2 * CONTENT_MAX], content[2 * CONTENT_MAX];
    static struct scheme s;

    seed = first == NULL ? 1 : strtoull(first, NULL, 10);
    while (tries < wanted) {
        snprintf(url, sizeof(url), "%s", urls[below(COUNT(urls))]);
        if (!make_scheme(&s, description)) {
            refused++;
            continue;
        }
        accepted++;
        for (int n = 0; n < DELIVERIES; n++) {
            struct split split = {.s = &s, .content = content};

            split.len = make_content(&s, content, &split.values);
            if (split.len == 0)
                continue;
            split_rest(&split, 0, 0);
            tries++;
            ck_assert_msg(split.found == 1, "%u readings of %.*s by: %s (url %s)", split.found,
                          (int)split.len, content, description, url);
        }
    }
    if (getenv("AMBIGUITY_TRIES") != NULL)
        printf("# %lu deliveries of %lu descriptions; %lu descriptions refused\n", tries, accepted,
               refused);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("ambiguity");
    TCase *tc = tcase_create("ambiguity");

    tcase_set_timeout(tc, 0);
    tcase_add_test(tc, no_two_deliveries_share_their_signed_bytes);
    suite_add_tcase(s, tc);
    return s;
}
