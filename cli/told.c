/* SPDX-License-Identifier: MIT */
#include "cli/told.h"

#include <stdlib.h>
#include <string.h>

/* Where the first number is that is no smaller. */
static size_t seq_set_lower_bound(const struct seq_set *t, int64_t number)
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

bool seq_set_has(const struct seq_set *t, int64_t number)
{
    size_t at = seq_set_lower_bound(t, number);

    return at < t->count && t->numbers[at] == number;
}

bool seq_set_add(struct seq_set *t, int64_t number)
{
    size_t at = seq_set_lower_bound(t, number);

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

void seq_set_free(struct seq_set *t)
{
    free(t->numbers);
    *t = (struct seq_set){.numbers = NULL};
}
