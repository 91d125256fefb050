/* SPDX-License-Identifier: MIT */
#include "cli/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAY_S = 86400,
    REPEAT_MAX = 100,
    WORD_SIZE = 32,
    BURST_BYTES_MAX = 256 << 20, /* bytes that wait to be sent at once */
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
    WORDS,
};

/* `max` 0: the word takes no number. */
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
};

/* Of these, each has nothing to say where the other one is. */
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
    return "stale[=SECONDS]   the signed time lies that far in the past; 600\n"
           "future[=SECONDS]  the signed time lies that far in the future; 600\n"
           "duplicate[=N]     the very same request N times; 2\n"
           "burst[=N]         N deliveries at once, each of its own; 10\n"
           "reorder           with burst: in another order than they were made\n"
           "wrong-secret      signed with another secret\n"
           "secret-newline    signed with the secret and a line end behind it\n"
           "two-signatures    as in a rotation: an old secret's beside it, if it fits\n"
           "unsigned          without a signature\n"
           "tamper            one character of the body changed after signing\n"
           "reencode          the body's JSON in other white space than was signed\n"
           "crlf              the body with other line ends than were signed\n"
           "oversize[=BYTES]  the body filled up to that, and signed; 2097152\n"
           "truncate          the connection ends in the middle of the body\n"
           "reset             likewise, by a TCP reset\n"
           "slow[=BYTES]      the body sent at so many bytes a second; 64\n";
}

/* ---- what is wrong */

/* Nothing is repeated that would not do in a line of a log. */
static bool faults_word_error(char why[FAULTS_WHY_SIZE], const char *word, size_t len)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    bool shown = len > 0 && len < WORD_SIZE && strspn(word, plain) >= len;
    int used = snprintf(why, FAULTS_WHY_SIZE, "%.*s: there is no such fault; there are",
                        shown ? (int)len : 1, shown ? word : "?");

    for (size_t i = 0; i < WORDS && used < FAULTS_WHY_SIZE; i++)
        used += snprintf(why + used, (size_t)(FAULTS_WHY_SIZE - used), "%s %s", i == 0 ? "" : ",",
                         fault_words[i].name);
    return false;
}

static bool faults_number_error(char why[FAULTS_WHY_SIZE], enum fault_word w)
{
    if (fault_words[w].max == 0)
        snprintf(why, FAULTS_WHY_SIZE, "%s: it takes no number", fault_words[w].name);
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
            snprintf(why, FAULTS_WHY_SIZE, "%s and %s contradict each other",
                     fault_words[pair[0]].name, fault_words[pair[1]].name);
            return false;
        }
    }
    if (found[BURST] * found[OVERSIZE] > BURST_BYTES_MAX) {
        snprintf(why, FAULTS_WHY_SIZE, "burst and oversize: they are more than %d MiB together",
                 BURST_BYTES_MAX >> 20);
        return false;
    }
    if (found[REORDER] != 0 && found[BURST] == 0) {
        snprintf(why, FAULTS_WHY_SIZE, "reorder: there is nothing to reorder without burst");
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
            snprintf(why, FAULTS_WHY_SIZE, "%s: it is given twice", fault_words[i].name);
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
        snprintf(why, FAULTS_WHY_SIZE, "the faults take more than %d bytes", FAULTS_TEXT_MAX);
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
