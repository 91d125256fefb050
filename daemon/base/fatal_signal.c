/* SPDX-License-Identifier: MIT
 *
 * Everything but fatal_signal_catch() runs in a signal handler: async-signal-safe calls only.
 */
#include "daemon/base/fatal_signal.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/message.h"

/* ---- /proc/self/maps: "BEGIN-END PERMISSIONS OFFSET DEVICE INODE PATH", see proc_pid_maps(5) */

enum {
    MAPPING_LINE_SIZE = PATH_MAX + 128,
    MAPPING_FIELDS = 5, /* before the path */
};

struct mappings {
    int fd;
    size_t at, len; /* of the bytes read */
    char bytes[1024];
};

static bool mappings_next_byte(struct mappings *m, char *byte)
{
    if (m->at == m->len) {
        ssize_t n = read(m->fd, m->bytes, sizeof(m->bytes));

        if (n <= 0)
            return false;
        m->at = 0;
        m->len = (size_t)n;
    }
    *byte = m->bytes[m->at++];
    return true;
}

/* Reads a line without its "\n", and cuts it where it does not fit. */
static bool mappings_next_line(struct mappings *m, char line[MAPPING_LINE_SIZE])
{
    size_t len = 0;
    char byte;

    while (mappings_next_byte(m, &byte)) {
        if (byte == '\n') {
            line[len] = '\0';
            return true;
        }
        if (len < MAPPING_LINE_SIZE - 1)
            line[len++] = byte;
    }
    return false;
}

static const char *mapping_read_hex(const char *text, uintptr_t *number)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit;

    for (*number = 0; *text != '\0' && (digit = strchr(digits, *text)) != NULL; text++)
        *number = *number << 4 | (uintptr_t)(digit - digits);
    return text;
}

static bool mapping_contains(const char *line, uintptr_t address)
{
    uintptr_t begin, end;

    line = mapping_read_hex(line, &begin);
    if (*line != '-')
        return false;
    mapping_read_hex(line + 1, &end);
    return begin <= address && address < end;
}

/* Returns the path of a mapped file; NULL for other memory. */
static const char *mapping_path(const char *line)
{
    for (int i = 0; i < MAPPING_FIELDS; i++) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return *line == '/' ? line : NULL;
}

/* Returns the path of the file that is mapped at the address, in `line`; NULL if unknown. */
static const char *mappings_find(uintptr_t address, char line[MAPPING_LINE_SIZE])
{
    struct mappings mappings = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    const char *path = NULL;

    if (mappings.fd < 0)
        return NULL;
    while (path == NULL && mappings_next_line(&mappings, line))
        if (mapping_contains(line, address))
            path = mapping_path(line);
    close(mappings.fd);
    return path;
}

/* ---- signal handler */

/* `path` is NULL if the memory belongs to no file. */
static void fatal_signal_report_bus(const char *path)
{
    static const char cut[] = ": another program has cut this file short, or its disk has failed",
                      unknown[] = "a page of memory cannot be read",
                      end[] = " (SIGBUS); answered deliveries are stored, and a restart is safe";
    char text[MESSAGE_TEXT_SIZE], *to = text;

    if (path != NULL) {
        to = mempcpy(to, path, strnlen(path, sizeof(text) - sizeof(cut) - sizeof(end)));
        to = mempcpy(to, cut, sizeof(cut) - 1);
    } else {
        to = mempcpy(to, unknown, sizeof(unknown) - 1);
    }
    memcpy(to, end, sizeof(end));
    message_write_last(text);
}

/* Lets the signal end the process, so that the parent sees the reason. Another thread may fail at
 * the same time: it waits, because its end would cut the message off. A positive si_code is the
 * kernel's; kill(2) has another one. */
static void fatal_signal_handle(int number, siginfo_t *info, void *context)
{
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    char line[MAPPING_LINE_SIZE];

    (void)context;
    while (atomic_flag_test_and_set(&taken))
        pause();
    if (number == SIGBUS && info->si_code > 0)
        fatal_signal_report_bus(mappings_find((uintptr_t)info->si_addr, line));
    else
        message_write_last(number == SIGBUS ? "ended by SIGBUS" : "aborted (SIGABRT)");
    signal(number, SIG_DFL);
    raise(number);
}

void fatal_signal_catch(void)
{
    struct sigaction action = {.sa_sigaction = fatal_signal_handle, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}
