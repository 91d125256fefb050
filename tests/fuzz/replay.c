/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target over its corpus without a fuzzer: `TARGET [DIRECTORY]`. The corpus folder has
 * the program's name. A crash leaves the TAP plan incomplete.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool run(const char *directory, const char *name)
{
    char path[4096];
    FILE *file;
    uint8_t *data = NULL;
    size_t size = 0, got;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if ((file = fopen(path, "rb")) == NULL)
        return false;
    /* The final size is exact, so that sanitizers and valgrind see the input's bounds. */
    while ((data = realloc(data, size + 4096)) != NULL &&
           (got = fread(data + size, 1, 4096, file)) > 0)
        size += got;
    fclose(file);
    if (data == NULL || (data = realloc(data, size > 0 ? size : 1)) == NULL)
        return false;
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return true;
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir"), *name = program_invocation_short_name;
    char corpus[2048];
    struct dirent **entry;
    int count;

    if (strncmp(name, "lt-", 3) == 0) /* libtool's wrapper adds this prefix */
        name += 3;
    snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", top == NULL ? "." : top, name);
    if (argc > 1)
        snprintf(corpus, sizeof(corpus), "%s", argv[1]);
    if ((count = scandir(corpus, &entry, is_visible, alphasort)) <= 0) {
        printf("Bail out! %s: %s\n", corpus, count < 0 ? strerror(errno) : "empty");
        return 1;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        fflush(stdout);
        printf("%s %d - %s survives %s\n", run(corpus, entry[i]->d_name) ? "ok" : "not ok", i + 1,
               name, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return 0;
}
