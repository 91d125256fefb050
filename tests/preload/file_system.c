/* SPDX-License-Identifier: MIT
 *
 * A module that tests preload into hooklined: each file is on a file system of the type
 * $FILE_SYSTEM, in hexadecimal.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/vfs.h>

int statfs(const char *path, struct statfs *disk)
{
    static __typeof__(&statfs) next;
    const char *type = getenv("FILE_SYSTEM");
    int result;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "statfs");
    result = next(path, disk);
    if (result == 0 && type != NULL)
        disk->f_type = (__typeof__(disk->f_type))strtoul(type, NULL, 16);
    return result;
}
