/* SPDX-License-Identifier: MIT */
#include <hookline.h>

#include <string.h>

static const hookline_scheme schemes[] = {
#define SCHEME(name, title, documentation, description) {name, title, documentation, description},
#include "schemes.def"
#undef SCHEME
};

const hookline_scheme *hookline_scheme_at(size_t index)
{
    return index < sizeof(schemes) / sizeof(schemes[0]) ? &schemes[index] : NULL;
}

const hookline_scheme *hookline_scheme_find(const char *name)
{
    const hookline_scheme *scheme;

    if (name == NULL)
        return NULL;
    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL; i++)
        if (strcmp(scheme->name, name) == 0)
            return scheme;
    return NULL;
}
