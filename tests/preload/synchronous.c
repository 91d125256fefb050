/* SPDX-License-Identifier: MIT
 *
 * A module that tests preload into hooklined: replaces "synchronous=FULL" by $SYNCHRONOUS, such as
 * NORMAL. hooklined has no such option.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* Returns the statement itself, or a changed copy for free(). */
static char *with_synchronous(const char *sql)
{
    const char *value = getenv("SYNCHRONOUS");
    const char *where = value == NULL || sql == NULL ? NULL : strcasestr(sql, "synchronous");
    char *changed = NULL;

    where = where == NULL ? NULL : strcasestr(where, "FULL");
    if (where != NULL &&
        asprintf(&changed, "%.*s%s%s", (int)(where - sql), sql, value, where + 4) < 0)
        abort();
    return changed;
}

int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                 void *data, char **message)
{
    static __typeof__(&sqlite3_exec) next;
    char *changed = with_synchronous(sql);
    int result;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_exec");
    result = next(db, changed != NULL ? changed : sql, row, data, message);
    free(changed);
    return result;
}

int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int len, sqlite3_stmt **statement,
                       const char **tail)
{
    static __typeof__(&sqlite3_prepare_v2) next;
    char *changed = tail == NULL ? with_synchronous(sql) : NULL;
    int result;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_prepare_v2");
    result = next(db, changed != NULL ? changed : sql, changed != NULL ? -1 : len, statement, tail);
    free(changed);
    return result;
}
