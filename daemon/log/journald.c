/* SPDX-License-Identifier: MIT */
#include "daemon/log/journald.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "daemon/base/buffer.h"
#include "daemon/base/verdict.h"

struct journald {
    int fd; /* -1: not connected */
    struct buffer entry;
};

static bool journald_connect(struct journald *j)
{
    const struct sockaddr_un where = {
        .sun_family = AF_UNIX,
        .sun_path = "/run/systemd/journal/socket",
    };

    j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return j->fd >= 0 && connect(j->fd, (const struct sockaddr *)&where, sizeof(where)) == 0;
}

static void journald_disconnect(struct journald *j)
{
    int saved = errno;

    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    errno = saved;
}

struct journald *journald_open(void)
{
    struct journald *j = calloc(1, sizeof(*j));

    if (j != NULL && !journald_connect(j))
        journald_close(&j);
    return j;
}

void journald_close(struct journald **journald)
{
    struct journald *j = *journald;

    if (j == NULL)
        return;
    journald_disconnect(j);
    buffer_free(&j->entry);
    free(j);
    *journald = NULL;
}

int journald_descriptor(const struct journald *j)
{
    return j->fd;
}

/* ---- entry */

/* A newline ends a field in this protocol, so a value with one is sent with its length instead. */
static void journald_add(struct journald *j, const char *name, const char *value, size_t len)
{
    buffer_append_text(&j->entry, name);
    if (memchr(value, '\n', len) == NULL) {
        buffer_append_char(&j->entry, '=');
    } else {
        unsigned char count[sizeof(uint64_t)];

        for (size_t i = 0; i < sizeof(count); i++)
            count[i] = (unsigned char)((uint64_t)len >> (8 * i));
        buffer_append_char(&j->entry, '\n');
        buffer_append(&j->entry, count, sizeof(count));
    }
    buffer_append(&j->entry, value, len);
    buffer_append_char(&j->entry, '\n');
}

/* Starts an entry with a priority of syslog(3). */
static void journald_begin(struct journald *j, int priority)
{
    /* Facility 3 is "daemon", like that of a service's standard output. */
    static const char ours[] = "SYSLOG_IDENTIFIER=hooklined\nSYSLOG_FACILITY=3\n";
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", priority);

    buffer_truncate(&j->entry, 0);
    buffer_append_text(&j->entry, ours);
    journald_add(j, "PRIORITY", text, (size_t)len);
}

/* ---- sending */

/* Returns a sealed memfd with the bytes, as the journal requires; -1 on failure. */
static int journald_sealed_file(const char *bytes, size_t len)
{
    int fd = memfd_create("journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (write(fd, bytes, len) == (ssize_t)len &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends an entry that is too large for a datagram as a file descriptor (SCM_RIGHTS). */
static ssize_t journald_send_file(const struct journald *j)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
    int saved, file = journald_sealed_file(j->entry.base, j->entry.len);
    ssize_t n;

    if (file < 0) {
        errno = EMSGSIZE;
        return -1;
    }
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(file));
    memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
    n = sendmsg(j->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    saved = errno;
    close(file);
    errno = saved;
    return n;
}

int journald_send(struct journald *j)
{
    ssize_t n;

    if (j->entry.failure != BUFFER_NO_FAILURE) {
        errno = ENOMEM;
        return -1;
    }
    if (j->fd < 0 && !journald_connect(j)) {
        journald_disconnect(j);
        return -1;
    }
    n = send(j->fd, j->entry.base, j->entry.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
        n = journald_send_file(j);
    if (n >= 0)
        return 1;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    if (errno != EMSGSIZE)
        journald_disconnect(j);
    return -1;
}

/* ---- fields */

/* Field names are constants: text of a sender becomes a value, never a name. */
static const struct journald_field {
    const char *member, *name;
} journald_fields[] = {
    {"verdict", "HOOKLINE_VERDICT"},
    {"remote", "HOOKLINE_REMOTE"},
    {"source", "HOOKLINE_SOURCE"},
    {"scheme", "HOOKLINE_SCHEME"},
    {"reason", "HOOKLINE_REASON"},
    {"status", "HOOKLINE_STATUS"},
    {"receipt", "HOOKLINE_RECEIPT"},
    {"hint", "HOOKLINE_HINT"},
    {"hint_source", "HOOKLINE_HINT_SOURCE"},
    {"seq", "HOOKLINE_SEQ"},
    {"id", "HOOKLINE_ID"},
    {"type", "HOOKLINE_TYPE"},
    {"test", "HOOKLINE_TEST"},
    {"secret_label", "HOOKLINE_SECRET_LABEL"},
    {"destination", "HOOKLINE_DESTINATION"},
    {"tries", "HOOKLINE_TRIES"},
    {"lost_lines", "HOOKLINE_LOST_LINES"},
};

/* Refusals are below warning, because anyone on the Internet can cause them. */
#define JOURNALD_KIND(name, word, priority, message_id) [VERDICT_##name] = {priority, message_id},

static const struct journald_kind {
    int priority;
    const char *message_id;
} journald_kinds[VERDICT_END] = {[VERDICT_NONE] = {LOG_WARNING, "42721269d368474e937b8569b282bbcd"},
                                 VERDICT_ROWS(JOURNALD_KIND)};

/* Adds the address without its port, so that a search by address finds all connections. */
static void journald_add_host(struct journald *journald, const char *name, const char *remote)
{
    const char *bracket = strchr(remote, ']'), *colon = strchr(remote, ':');

    if (bracket != NULL)
        journald_add(journald, name, remote + 1, (size_t)(bracket - remote - 1));
    else if (colon != NULL && strchr(colon + 1, ':') == NULL)
        journald_add(journald, name, remote, (size_t)(colon - remote));
    else
        journald_add(journald, name, remote, strlen(remote));
}

static void journald_add_member(struct journald *journald, const struct journald_field *field,
                                const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    char number[32];

    if (text != NULL && strcmp(field->member, "remote") == 0) {
        journald_add_host(journald, field->name, text);
        return;
    }
    if (cJSON_IsBool(value)) {
        text = cJSON_IsTrue(value) ? "true" : "false";
    } else if (cJSON_IsNumber(value)) {
        snprintf(number, sizeof(number), "%.0f", cJSON_GetNumberValue(value));
        text = number;
    }
    if (text != NULL && *text != '\0')
        journald_add(journald, field->name, text, strlen(text));
}

void journald_set_line(struct journald *journald, const char *line, size_t len)
{
    cJSON *members = cJSON_ParseWithLength(line, len);
    const cJSON *word = cJSON_GetObjectItemCaseSensitive(members, "verdict");
    const struct journald_kind *kind = &journald_kinds[verdict_read(cJSON_GetStringValue(word))];

    journald_begin(journald, kind->priority);
    journald_add(journald, "MESSAGE_ID", kind->message_id, strlen(kind->message_id));
    for (size_t i = 0; i < sizeof(journald_fields) / sizeof(journald_fields[0]); i++)
        journald_add_member(journald, &journald_fields[i],
                            cJSON_GetObjectItemCaseSensitive(members, journald_fields[i].member));
    journald_add(journald, "MESSAGE", line, len);
    cJSON_Delete(members);
}
