/* SPDX-License-Identifier: MIT */
#include "cli/faults.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/record.h"
#include "daemon/base/rfc3339.h"

static struct faults_body faults_body_fail(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE],
                                           const char *what)
{
    free(body.base);
    snprintf(why, FAULTS_BODY_WHY_SIZE, "%s", what);
    return (struct faults_body){NULL, 0};
}

/* ---- time */

/* Finds no key with a NUL in it, because cJSON strings end there. */
static cJSON *faults_find_member(cJSON *json, const char *path)
{
    while (json != NULL && *path != '\0') {
        char name[128];
        size_t len = strcspn(path, ".");

        if (len >= sizeof(name))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        json = json_get(json, name);
        path += len;
        path += *path == '.';
    }
    return json;
}

static cJSON *faults_later_text(const char *text, int64_t shift_s)
{
    char out[RFC3339_SIZE];
    int64_t us;

    if (!rfc3339_read(text, &us) || us + shift_s * 1000000 < 0)
        return NULL;
    rfc3339_write(out, us + shift_s * 1000000);
    return cJSON_CreateString(out);
}

static cJSON *faults_later_number(double number, int64_t shift_s)
{
    const double milliseconds = 1e11; /* larger numbers are milliseconds */

    return cJSON_CreateNumber(number + (double)shift_s * (number >= milliseconds ? 1000 : 1));
}

struct faults_body faults_shift_time(struct faults_body body, const char *path, int64_t shift_s,
                                     char why[FAULTS_BODY_WHY_SIZE])
{
    cJSON *json = cJSON_ParseWithLength(body.base, body.len), *at = faults_find_member(json, path),
          *later = NULL;
    char *text = NULL;

    if (cJSON_IsString(at))
        later = faults_later_text(at->valuestring, shift_s);
    else if (cJSON_IsNumber(at))
        later = faults_later_number(at->valuedouble, shift_s);
    if (later != NULL) {
        char *old = at->valuestring;

        /* Swap the value only, so that the member keeps its name, place and type. */
        at->valuestring = later->valuestring;
        at->valueint = later->valueint;
        at->valuedouble = later->valuedouble;
        later->valuestring = old;
        text = cJSON_PrintUnformatted(json);
    }
    cJSON_Delete(later);
    cJSON_Delete(json);
    if (text == NULL)
        return faults_body_fail(body, why, "the body holds no time that could be changed");
    free(body.base);
    return (struct faults_body){text, strlen(text)};
}

/* ---- size */

struct faults_body faults_oversize(struct faults_body body, uint64_t size,
                                   char why[FAULTS_BODY_WHY_SIZE])
{
    char *bigger;

    if (body.len >= size)
        return body;
    if (size > SIZE_MAX / 2 || (bigger = realloc(body.base, (size_t)size)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    memset(bigger + body.len, ' ', (size_t)size - body.len);
    return (struct faults_body){bigger, (size_t)size};
}

/* ---- one character */

static char faults_next_character(char c)
{
    switch (c) {
    case '9':
        return '0';
    case 'z':
        return 'a';
    case 'Z':
        return 'A';
    default:
        return (char)(c + 1);
    }
}

/* Changes the last letter or digit, so that JSON usually stays JSON. */
struct faults_body faults_tamper(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    if (body.len == 0)
        return faults_oversize(body, 1, why);
    for (size_t i = body.len; i-- > 0;) {
        char c = body.base[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            body.base[i] = faults_next_character(c);
            return body;
        }
    }
    body.base[body.len - 1] ^= 1;
    return body;
}

/* ---- white space */

static bool faults_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Drops the white space between JSON tokens and, if `spaced`, writes a blank after each comma and
 * colon. `out` has room for twice the body. */
static size_t faults_rewrite_spaces(struct faults_body body, bool spaced, char *out)
{
    bool inside = false; /* a string */
    size_t len = 0;

    for (size_t i = 0; i < body.len; i++) {
        char c = body.base[i];

        if (inside) {
            out[len++] = c;
            if (c == '\\' && i + 1 < body.len)
                out[len++] = body.base[++i];
            inside = c != '"';
        } else if (!faults_is_space(c)) {
            out[len++] = c;
            inside = c == '"';
            if (spaced && (c == ',' || c == ':'))
                out[len++] = ' ';
        }
    }
    return len;
}

static bool faults_body_is(struct faults_body body, const char *text, size_t len)
{
    return body.len == len && memcmp(body.base, text, len) == 0;
}

struct faults_body faults_reencode(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    cJSON *json = cJSON_ParseWithLength(body.base, body.len);
    char *text;
    size_t len;

    cJSON_Delete(json);
    if (json == NULL)
        return faults_body_fail(body, why, "reencode: the body is not JSON");
    if (body.len > SIZE_MAX / 4 || (text = malloc(2 * body.len + 1)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    len = faults_rewrite_spaces(body, true, text);
    if (faults_body_is(body, text, len))
        len = faults_rewrite_spaces(body, false, text);
    /* No comma and no colon. */
    if (faults_body_is(body, text, len))
        text[len++] = '\n';
    free(body.base);
    return (struct faults_body){text, len};
}

/* ---- line endings */

struct faults_body faults_crlf(struct faults_body body, char why[FAULTS_BODY_WHY_SIZE])
{
    size_t len = 0, bare = 0, pairs = 0;
    char *text;

    for (size_t i = 0; i < body.len; i++) {
        bool pair = body.base[i] == '\n' && i > 0 && body.base[i - 1] == '\r';

        pairs += pair;
        bare += body.base[i] == '\n' && !pair;
    }
    if (body.len > SIZE_MAX / 4 || (text = malloc(2 * body.len + 2)) == NULL)
        return faults_body_fail(body, why, "out of memory");
    for (size_t i = 0; i < body.len; i++) {
        bool pair = i + 1 < body.len && body.base[i] == '\r' && body.base[i + 1] == '\n';

        if (pair && bare == 0)
            continue;
        if (body.base[i] == '\n' && bare > 0 && (i == 0 || body.base[i - 1] != '\r'))
            text[len++] = '\r';
        text[len++] = body.base[i];
    }
    if (bare == 0 && pairs == 0) {
        text[len++] = '\r';
        text[len++] = '\n';
    }
    free(body.base);
    return (struct faults_body){text, len};
}

/* ---- words */

enum {
    DAY_S = 86400,
    REPEAT_MAX = 100,
    WORD_SIZE = 32,
    BURST_BYTES_MAX = 256 << 20, /* of all deliveries of a burst together */
};

enum fault_word {
    STALE,
    FUTURE,
    DUPLICATE,
    BURST,
    REORDER,
    WRONG_SECRET,
    SECRET_NEWLINE,
    TWO_SIGNATURES,
    UNSIGNED,
    TAMPER,
    REENCODE,
    CRLF,
    OVERSIZE,
    TRUNCATE,
    RESET,
    SLOW,
    DELAY,
    WORDS,
};

/* A word with `max` 0 takes no number; `usual` is the default. */
static const struct {
    const char *name;
    int64_t min, max, usual;
} fault_words[WORDS] = {
    [STALE] = {"stale", 1, 366 * DAY_S, 600},
    [FUTURE] = {"future", 1, 366 * DAY_S, 600},
    [DUPLICATE] = {"duplicate", 2, REPEAT_MAX, 2},
    [BURST] = {"burst", 2, REPEAT_MAX, 10},
    [REORDER] = {"reorder", 0, 0, 1},
    [WRONG_SECRET] = {"wrong-secret", 0, 0, 1},
    [SECRET_NEWLINE] = {"secret-newline", 0, 0, 1},
    [TWO_SIGNATURES] = {"two-signatures", 0, 0, 1},
    [UNSIGNED] = {"unsigned", 0, 0, 1},
    [TAMPER] = {"tamper", 0, 0, 1},
    [REENCODE] = {"reencode", 0, 0, 1},
    [CRLF] = {"crlf", 0, 0, 1},
    [OVERSIZE] = {"oversize", 1, 64 << 20, 2 << 20},
    [TRUNCATE] = {"truncate", 0, 0, 1},
    [RESET] = {"reset", 0, 0, 1},
    [SLOW] = {"slow", 1, 1 << 20, 64},
    [DELAY] = {"delay", 1, DAY_S, 1},
};

/* Pairs of which one makes the other pointless. */
static const enum fault_word contradictions[][2] = {
    {STALE, FUTURE},
    {STALE, UNSIGNED},
    {FUTURE, UNSIGNED},
    {WRONG_SECRET, SECRET_NEWLINE},
    {WRONG_SECRET, TWO_SIGNATURES},
    {WRONG_SECRET, UNSIGNED},
    {SECRET_NEWLINE, TWO_SIGNATURES},
    {SECRET_NEWLINE, UNSIGNED},
    {TWO_SIGNATURES, UNSIGNED},
    {TAMPER, REENCODE},
    {TAMPER, CRLF},
    {REENCODE, CRLF},
    {TRUNCATE, RESET},
};

const char *faults_help(void)
{
    return "stale[=SECONDS]   date the signature SECONDS into the past; default 600\n"
           "future[=SECONDS]  date the signature SECONDS into the future; default 600\n"
           "duplicate[=N]     send the identical request N times; default 2\n"
           "burst[=N]         send N different deliveries at once; default 10\n"
           "reorder           with burst: send the deliveries out of order\n"
           "wrong-secret      sign with another secret\n"
           "secret-newline    sign with the secret plus a trailing newline\n"
           "two-signatures    add an old secret's signature, if the scheme has a list\n"
           "unsigned          omit the signature\n"
           "tamper            change one character of the body after signing\n"
           "reencode          change the white space of a JSON body after signing\n"
           "crlf              convert the body's line endings after signing\n"
           "oversize[=BYTES]  pad the body to BYTES before signing; default 2097152\n"
           "truncate          close the connection in the middle of the body\n"
           "reset             reset the TCP connection in the middle of the body\n"
           "slow[=BYTES]      send the body at BYTES a second; default 64\n"
           "delay[=SECONDS]   send the delivery SECONDS later; default 1\n";
}

/* ---- errors */

/* Repeats only words that are safe in a log line. */
static bool faults_word_error(char why[FAULTS_WHY_SIZE], const char *word, size_t len)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    bool shown = len > 0 && len < WORD_SIZE && strspn(word, plain) >= len;
    int used = snprintf(why, FAULTS_WHY_SIZE, "%.*s: unknown fault; expected one of",
                        shown ? (int)len : 1, shown ? word : "?");

    for (size_t i = 0; i < WORDS && used < FAULTS_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(FAULTS_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         fault_words[i].name);
    return false;
}

static bool faults_number_error(char why[FAULTS_WHY_SIZE], enum fault_word w)
{
    if (fault_words[w].max == 0)
        snprintf(why, FAULTS_WHY_SIZE, "%s takes no number", fault_words[w].name);
    else
        snprintf(why, FAULTS_WHY_SIZE, "%s: expected a number from %" PRId64 " to %" PRId64,
                 fault_words[w].name, fault_words[w].min, fault_words[w].max);
    return false;
}

static bool faults_are_compatible(const int64_t found[WORDS], char why[FAULTS_WHY_SIZE])
{
    for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
        const enum fault_word *pair = contradictions[i];

        if (found[pair[0]] != 0 && found[pair[1]] != 0) {
            snprintf(why, FAULTS_WHY_SIZE, "%s and %s cannot be combined",
                     fault_words[pair[0]].name, fault_words[pair[1]].name);
            return false;
        }
    }
    if (found[BURST] * found[OVERSIZE] > BURST_BYTES_MAX) {
        snprintf(why, FAULTS_WHY_SIZE, "burst and oversize: more than %d MiB in total",
                 BURST_BYTES_MAX >> 20);
        return false;
    }
    if (found[REORDER] != 0 && found[BURST] == 0) {
        snprintf(why, FAULTS_WHY_SIZE, "reorder needs burst");
        return false;
    }
    return true;
}

/* ---- reading */

static bool faults_read_number(const char *text, size_t len, enum fault_word w, int64_t *number)
{
    char digits[WORD_SIZE];
    char *end;

    if (fault_words[w].max == 0 || len == 0 || len >= sizeof(digits) || text[0] < '0' ||
        text[0] > '9')
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    errno = 0;
    *number = strtoimax(digits, &end, 10);
    return errno == 0 && *end == '\0' && *number >= fault_words[w].min &&
           *number <= fault_words[w].max;
}

static bool faults_read_word(int64_t found[WORDS], const char *word, size_t len, char *why)
{
    const char *equals = memchr(word, '=', len);
    size_t name_len = equals == NULL ? len : (size_t)(equals - word);
    int64_t number;

    for (size_t i = 0; i < WORDS; i++) {
        if (strlen(fault_words[i].name) != name_len ||
            memcmp(fault_words[i].name, word, name_len) != 0)
            continue;
        number = fault_words[i].usual;
        if (equals != NULL && !faults_read_number(equals + 1, len - name_len - 1, i, &number))
            return faults_number_error(why, i);
        if (found[i] != 0) {
            snprintf(why, FAULTS_WHY_SIZE, "%s given twice; give it once", fault_words[i].name);
            return false;
        }
        found[i] = number;
        return true;
    }
    return faults_word_error(why, word, name_len);
}

static bool faults_read_words(int64_t found[WORDS], const char *text, char why[FAULTS_WHY_SIZE])
{
    static const char blanks[] = " \t";

    for (text += strspn(text, blanks); *text != '\0';) {
        size_t len = strcspn(text, ","), word_len = len;

        while (word_len > 0 && strchr(blanks, text[word_len - 1]) != NULL)
            word_len--;
        if (!faults_read_word(found, text, word_len, why))
            return false;
        text += len;
        if (*text == ',') {
            text += 1 + strspn(text + 1, blanks);
            if (*text == '\0')
                return faults_word_error(why, "", 0);
        }
    }
    return true;
}

bool faults_read(struct faults *faults, const char *text, char why[FAULTS_WHY_SIZE])
{
    int64_t found[WORDS] = {0};

    if (strlen(text) > FAULTS_TEXT_MAX) {
        snprintf(why, FAULTS_WHY_SIZE, "the list of faults is longer than %d bytes",
                 FAULTS_TEXT_MAX);
        return false;
    }
    if (!faults_read_words(found, text, why) || !faults_are_compatible(found, why))
        return false;
    *faults = (struct faults){
        .shift_s = found[FUTURE] - found[STALE],
        .copies = (unsigned)found[DUPLICATE],
        .burst = (unsigned)found[BURST],
        .reorder = found[REORDER] != 0,
        .wrong_secret = found[WRONG_SECRET] != 0,
        .secret_newline = found[SECRET_NEWLINE] != 0,
        .two_signatures = found[TWO_SIGNATURES] != 0,
        .unsigned_ = found[UNSIGNED] != 0,
        .tamper = found[TAMPER] != 0,
        .reencode = found[REENCODE] != 0,
        .crlf = found[CRLF] != 0,
        .oversize = (uint64_t)found[OVERSIZE],
        .truncate = found[TRUNCATE] != 0,
        .reset = found[RESET] != 0,
        .bytes_per_s = (uint64_t)found[SLOW],
        .delay_s = (unsigned)found[DELAY],
    };
    return true;
}

/* ---- writing */

void faults_write(const struct faults *f, char text[FAULTS_TEXT_MAX])
{
    const uint64_t found[WORDS] = {
        [STALE] = f->shift_s < 0 ? (uint64_t)-f->shift_s : 0,
        [FUTURE] = f->shift_s > 0 ? (uint64_t)f->shift_s : 0,
        [DUPLICATE] = f->copies,
        [BURST] = f->burst,
        [REORDER] = f->reorder,
        [WRONG_SECRET] = f->wrong_secret,
        [SECRET_NEWLINE] = f->secret_newline,
        [TWO_SIGNATURES] = f->two_signatures,
        [UNSIGNED] = f->unsigned_,
        [TAMPER] = f->tamper,
        [REENCODE] = f->reencode,
        [CRLF] = f->crlf,
        [OVERSIZE] = f->oversize,
        [TRUNCATE] = f->truncate,
        [RESET] = f->reset,
        [SLOW] = f->bytes_per_s,
        [DELAY] = f->delay_s,
    };
    int used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < WORDS && used < FAULTS_TEXT_MAX; i++) {
        char *end = text + used;
        size_t size = (size_t)(FAULTS_TEXT_MAX - used);

        if (found[i] == 0)
            continue;
        used += fault_words[i].max == 0
                    ? snprintf(end, size, "%s%s", used == 0 ? "" : ",", fault_words[i].name)
                    : snprintf(end, size, "%s%s=%" PRIu64, used == 0 ? "" : ",",
                               fault_words[i].name, found[i]);
    }
}
