/* SPDX-License-Identifier: MIT */
#include "daemon/base/systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"

bool systemd_wants_notify(void)
{
    const char *socket = getenv("NOTIFY_SOCKET");

    return socket != NULL && socket[0] != '\0';
}

void systemd_notify_ready(void)
{
    sd_notify(0, "READY=1");
}

/* systemd 253 and later need the time; older versions ignore it. */
void systemd_notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
}

void systemd_notify_stopping(unsigned seconds)
{
    sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t)seconds * 1000000);
}

void systemd_notify_status(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sd_notifyf(0, "STATUS=%s", text);
}

uint64_t systemd_watchdog_us(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}

void systemd_notify_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}

/* Compares device and inode, because a redirected descriptor leaves the variable set. */
bool systemd_fd_is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, number;
    struct stat st;

    return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &number) == 2 &&
           fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == number;
}

int systemd_listen_sockets(struct systemd_socket **sockets)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);

    *sockets = NULL;
    if (count <= 0) {
        errno = count < 0 ? -count : 0;
        return count < 0 ? -1 : 0;
    }
    *sockets = calloc((size_t)count, sizeof(**sockets));
    for (int i = 0; i < count; i++) {
        if (*sockets == NULL)
            free(names[i]);
        else
            (*sockets)[i] = (struct systemd_socket){SD_LISTEN_FDS_START + i, names[i]};
    }
    free(names);
    return *sockets == NULL ? -1 : count;
}
