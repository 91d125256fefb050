/* SPDX-License-Identifier: MIT */
#include "cli/told.h"

#include <stdlib.h>
#include <string.h>

/* Where the first number is that is no smaller. */
static size_t place_of(const struct told *t, int64_t number)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool told_has(const struct told *t, int64_t number)
{
    size_t at = place_of(t, number);

    return at < t->count && t->numbers[at] == number;
}

bool told_add(struct told *t, int64_t number)
{
    size_t at = place_of(t, number);

    if (at < t->count && t->numbers[at] == number)
        return true;
    if (t->count == t->size) {
        size_t size = 2 * t->size + 16;
        int64_t *numbers = reallocarray(t->numbers, size, sizeof(*numbers));

        if (numbers == NULL)
            return false;
        t->numbers = numbers;
        t->size = size;
    }
    memmove(t->numbers + at + 1, t->numbers + at, (t->count - at) * sizeof(*t->numbers));
    t->numbers[at] = number;
    t->count++;
    return true;
}

void told_free(struct told *t)
{
    free(t->numbers);
    *t = (struct told){.numbers = NULL};
}
