/* SPDX-License-Identifier: MIT */
#include "daemon/conf/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789";

/* Suffixes with one meaning only, so that the message can suggest a number. */
static const struct {
    const char *suffix;
    enum config_unit unit;
    uint64_t factor;
} number_units[] = {
    {"s", CONFIG_SECONDS, 1},       {"sec", CONFIG_SECONDS, 1},     {"m", CONFIG_SECONDS, 60},
    {"min", CONFIG_SECONDS, 60},    {"h", CONFIG_SECONDS, 3600},    {"d", CONFIG_SECONDS, 86400},
    {"d", CONFIG_DAYS, 1},          {"w", CONFIG_DAYS, 7},          {"B", CONFIG_BYTES, 1},
    {"KiB", CONFIG_BYTES, 1 << 10}, {"MiB", CONFIG_BYTES, 1 << 20}, {"GiB", CONFIG_BYTES, 1 << 30},
};

void config_word(const char *text, size_t len, char word[CONFIG_WORD_SIZE])
{
    bool plain = len > 0 && len <= 26;

    for (size_t i = 0; plain && i < len; i++)
        plain = text[i] >= ' ' && text[i] <= '~';
    if (plain)
        snprintf(word, CONFIG_WORD_SIZE, "%.*s", (int)len, text);
    else
        snprintf(word, CONFIG_WORD_SIZE, "a text of %zu bytes", len);
}

void config_number_expected(const struct config_row *row, char *out, size_t size)
{
    static const char *const units[] = {"", " of bytes", " of seconds", " of days"};
    char most[32], zero[64];

    snprintf(most, sizeof(most), " to %" PRIu64, row->max);
    snprintf(zero, sizeof(zero), " (0: %s)", row->zero == NULL ? "" : row->zero);
    snprintf(out, size, "a whole number%s from %" PRIu64 "%s%s", units[row->unit], row->min,
             row->max == CONFIG_NUMBER_MAX ? " on" : most, row->zero == NULL ? "" : zero);
}

/* Returns false on overflow. */
static bool number_add_digits(const char *text, size_t len, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(text[i] - '0');

        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = 10 * *number + digit;
    }
    return true;
}

static bool number_is_in_range(const struct config_row *row, uint64_t number)
{
    return number >= row->min && number <= row->max;
}

/* Converts "10m" or "1 MiB" to the row's unit. */
static bool number_read_unit(const struct config_row *row, const char *text, size_t len,
                             size_t count, uint64_t *number)
{
    const char *suffix = text + count + (count < len && text[count] == ' ');
    size_t suffix_len = (size_t)(text + len - suffix);

    for (size_t i = 0; i < sizeof(number_units) / sizeof(number_units[0]); i++)
        if (number_units[i].unit == row->unit && strlen(number_units[i].suffix) == suffix_len &&
            strncmp(number_units[i].suffix, suffix, suffix_len) == 0)
            return number_add_digits(text, count, number) &&
                   !__builtin_mul_overflow(*number, number_units[i].factor, number) &&
                   number_is_in_range(row, *number);
    return false;
}

/* Describes the mistake in a text that is not plain decimal digits. */
static const char *number_problem(const char *text, size_t len, size_t count)
{
    size_t grouped = strspn(text, "0123456789_");

    if (text[0] == '-')
        return "is negative";
    if (text[0] == '+')
        return "has a sign";
    if (len > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return "is hexadecimal";
    if (len > 1 && text[0] == '0' && (text[1] == 'o' || text[1] == 'b'))
        return "is not decimal";
    if (count == len)
        return "has a leading zero, which may mean octal";
    if (count > 0 && grouped == len)
        return "has an underscore";
    if (text[count] == '.' || (count > 0 && (text[count] == 'e' || text[count] == 'E')))
        return "is not a whole number";
    return count > 0 ? "has a unit" : "is not a number";
}

static bool number_is_plain(const char *text, size_t len, size_t count)
{
    return len > 0 && count == len && (len == 1 || text[0] != '0');
}

bool config_number_read(const struct config_row *row, const char *text, size_t len,
                        uint64_t *number, char *why, size_t size)
{
    size_t count = strspn(text, digits);
    char word[CONFIG_WORD_SIZE], expected[160];
    uint64_t meant;

    config_word(text, len, word);
    config_number_expected(row, expected, sizeof(expected));
    if (!number_is_plain(text, len, count)) {
        if (count > 0 && number_read_unit(row, text, len, count, &meant))
            snprintf(why, size, "%s has a unit; type %" PRIu64 ", %s", word, meant, expected);
        else
            snprintf(why, size, "%s %s; type %s", word, number_problem(text, len, count), expected);
        return false;
    }
    if (number_add_digits(text, len, number) && number_is_in_range(row, *number))
        return true;
    snprintf(why, size, "%s is too %s; type %s", word,
             number_add_digits(text, len, number) && *number < row->min ? "small" : "large",
             expected);
    return false;
}
