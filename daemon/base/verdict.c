/* SPDX-License-Identifier: MIT */
#include "daemon/base/verdict.h"

#include <stdio.h>
#include <string.h>

#define VERDICT_WORD(name, word, priority, message_id) [VERDICT_##name] = word,

const char *const verdict_words[VERDICT_END] = {[VERDICT_NONE] = "", VERDICT_ROWS(VERDICT_WORD)};

enum verdict verdict_read(const char *word)
{
    for (enum verdict v = VERDICT_NONE + 1; word != NULL && v < VERDICT_END; v++)
        if (strcmp(word, verdict_words[v]) == 0)
            return v;
    return VERDICT_NONE;
}

void verdict_list_words(char out[VERDICT_WORDS_SIZE])
{
    size_t len = 0;

    for (enum verdict v = VERDICT_NONE + 1; v < VERDICT_END; v++)
        len += (size_t)snprintf(out + len, VERDICT_WORDS_SIZE - len, "%s%s",
                                v == VERDICT_NONE + 1  ? ""
                                : v == VERDICT_END - 1 ? " or "
                                                       : ", ",
                                verdict_words[v]);
}
