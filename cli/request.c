/* SPDX-License-Identifier: MIT */
#include "cli/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/store/db.h"

enum {
    READ_SIZE = 1 << 16
};

const char *file_contents_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

static bool file_contents_fail(const char *file, const char *what, char why[FILE_CONTENTS_WHY_SIZE])
{
    snprintf(why, FILE_CONTENTS_WHY_SIZE, "%s: %s", file_contents_name(file), what);
    return false;
}

static bool file_contents_read_all(struct buffer *contents, int fd, const char *file, char *why)
{
    ssize_t n;

    do {
        char *to = buffer_reserve(contents, READ_SIZE);

        n = to == NULL ? 0 : read(fd, to, contents->size - contents->len - 1);
        if (n < 0 && errno != EINTR)
            return file_contents_fail(file, strerror(errno), why);
        if (n > 0)
            contents->len += (size_t)n;
        if (contents->len > FILE_CONTENTS_MAX)
            return file_contents_fail(file, "larger than 64 MiB", why);
    } while (n != 0);
    return buffer_text(contents) != NULL || file_contents_fail(file, "out of memory", why);
}

bool file_contents_read(struct buffer *contents, const char *file, char why[FILE_CONTENTS_WHY_SIZE])
{
    static bool is_taken; /* A second read would find standard input empty. */
    bool standard = strcmp(file, "-") == 0, good;
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *contents = (struct buffer){0};
    if (standard && is_taken)
        return file_contents_fail(file, "given for two files, but can be read only once", why);
    is_taken |= standard;
    if (fd < 0)
        return file_contents_fail(file, strerror(errno), why);
    good = file_contents_read_all(contents, fd, file, why);
    if (!standard)
        close(fd);
    if (!good)
        buffer_free(contents);
    return good;
}

/* ---- request */

static bool request_fail(char *why, const char *what)
{
    snprintf(why, REQUEST_WHY_SIZE, "%s", what);
    return false;
}

/* ---- headers and body apart */

/* Skips empty lines, such as the end of a saved head. */
static bool request_add_lines(struct header_lines *headers, const char *name, const char *text,
                              size_t len, char *why)
{
    const char *end = text + len;
    unsigned number = 1;

    for (const char *next; text < end; text = next, number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        char detail[HEADER_LINES_WHY_SIZE];
        size_t line_len;

        next = stop == NULL ? end : stop + 1;
        line_len = (size_t)((stop == NULL ? end : stop) - text);
        if (line_len > 0 && text[line_len - 1] == '\r')
            line_len--;
        if (line_len > 0 && !header_lines_add(headers, text, line_len, detail)) {
            snprintf(why, REQUEST_WHY_SIZE, "%s:%u: %s", name, number, detail);
            return false;
        }
    }
    return true;
}

static bool request_read_headers_file(struct request *request, const char *file, char *why)
{
    struct buffer contents;
    bool good;

    if (!file_contents_read(&contents, file, why))
        return false;
    good = request_add_lines(&request->headers, file_contents_name(file), contents.base,
                             contents.len, why);
    buffer_free(&contents);
    return good;
}

static bool request_read_parts(struct request *request, const struct request_options *options,
                               char *why)
{
    if (options->body == NULL)
        return request_fail(why, "--body is missing; for an empty body give --body /dev/null");
    if (options->headers_file != NULL && strcmp(options->body, "-") == 0 &&
        strcmp(options->headers_file, "-") == 0)
        return request_fail(why, "--headers and --body cannot both be standard input; for a whole "
                                 "request use --request -");
    if (options->headers_file != NULL &&
        !request_read_headers_file(request, options->headers_file, why))
        return false;
    if (!file_contents_read(&request->memory, options->body, why))
        return false;
    request->body = (hookline_bytes){request->memory.base, request->memory.len};
    return true;
}

static bool request_add_headers(struct request *request, const struct option_texts *headers,
                                char *why)
{
    for (size_t i = 0; i < headers->count; i++) {
        char detail[HEADER_LINES_WHY_SIZE];

        if (!header_lines_add(&request->headers, headers->items[i], strlen(headers->items[i]),
                              detail)) {
            snprintf(why, REQUEST_WHY_SIZE, "--header: %s%s", detail,
                     headers->items[i][0] == '@' ? "; for a file of headers use --headers FILE"
                                                 : "");
            return false;
        }
    }
    return true;
}

/* ---- whole request */

static bool request_read_whole(struct request *request, const char *file, char *why)
{
    char detail[RAW_REQUEST_WHY_SIZE];
    struct raw_request raw;
    const char *query;

    if (!file_contents_read(&request->memory, file, why))
        return false;
    if (!raw_request_read(&raw, request->memory.base, request->memory.len, detail)) {
        snprintf(why, REQUEST_WHY_SIZE, "%s: %s", file_contents_name(file), detail);
        return false;
    }
    request->headers = raw.headers;
    request->body = raw.body;
    request->ignored = raw.ignored;
    request->method = strndup(raw.method.base, raw.method.len);
    query = memchr(raw.target.base, '?', raw.target.len);
    if (query != NULL)
        request->query = strndup(query + 1, (size_t)(raw.target.base + raw.target.len - query) - 1);
    return (request->method != NULL && (query == NULL || request->query != NULL)) ||
           request_fail(why, "out of memory");
}

/* ---- stored delivery */

static bool request_copy_row(struct request *request, sqlite3_stmt *row, char *why)
{
    const char *source = (const char *)sqlite3_column_text(row, 0);
    const char *headers = (const char *)sqlite3_column_text(row, 2);
    int headers_len = sqlite3_column_bytes(row, 2);
    const void *body = sqlite3_column_blob(row, 3);
    int len = sqlite3_column_bytes(row, 3);

    request->source = strdup(source == NULL ? "" : source);
    request->received_at = sqlite3_column_int64(row, 1) / 1000000;
    request->memory.base = malloc((size_t)len + 1);
    if (request->source == NULL || request->memory.base == NULL)
        return request_fail(why, "out of memory");
    if (len > 0)
        memcpy(request->memory.base, body, (size_t)len);
    request->memory.len = (size_t)len;
    request->body = (hookline_bytes){request->memory.base, request->memory.len};
    return headers == NULL || request_add_lines(&request->headers, "stored headers", headers,
                                                (size_t)headers_len, why);
}

static bool request_read_row(struct request *request, struct db *db, int64_t seq, char *why)
{
    sqlite3_stmt *row = NULL;
    bool good = false;
    int code = db_prepare(db, &row,
                          "SELECT source, received_us, headers, body FROM delivery WHERE seq = ?");

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, seq);
        code = sqlite3_step(row);
    }
    if (code == SQLITE_ROW)
        good = request_copy_row(request, row, why);
    else if (code == SQLITE_DONE)
        snprintf(why, REQUEST_WHY_SIZE, "%s: no delivery %lld", db_path(db), (long long)seq);
    else if (code == SQLITE_ERROR)
        snprintf(why, REQUEST_WHY_SIZE, "%s: not a hooklined store", db_path(db));
    else
        db_error_text(db, code, why);
    sqlite3_finalize(row);
    return good;
}

static bool request_read_from_file(struct request *request, const char *file, int64_t seq,
                                   char *why)
{
    struct db *db = db_open(file, DB_READ, why);
    bool good;

    if (db == NULL)
        return false;
    good = request_read_row(request, db, seq, why);
    db_close(&db);
    return good;
}

static bool request_read_stored(struct request *request, const struct request_options *options,
                                char *why)
{
    struct config *config;
    bool good;

    if (options->store != NULL)
        return request_read_from_file(request, options->store, options->stored, why);
    if (options->config == NULL)
        return request_fail(why, "--stored needs --store FILE or --config FILE");
    if ((config = config_file_read_outside(options->config, why)) == NULL)
        return false;
    good = request_read_from_file(request, config->store.file, options->stored, why);
    config_free(&config);
    return good;
}

/* ---- open and close */

static bool request_fill(struct request *request, const struct request_options *options, char *why)
{
    bool parts = options->body != NULL || options->headers_file != NULL;

    if (parts + (options->whole != NULL) + (options->stored != 0) > 1)
        return request_fail(why,
                            "--headers and --body, --request, and --stored cannot be combined: "
                            "give the request once");
    if (options->store != NULL && options->stored == 0)
        return request_fail(why, "--store needs --stored SEQ");
    if (options->stored != 0)
        return request_read_stored(request, options, why) &&
               request_add_headers(request, &options->headers, why);
    if (options->whole != NULL)
        return request_read_whole(request, options->whole, why) &&
               request_add_headers(request, &options->headers, why);
    if (!parts && options->headers.count == 0)
        return request_fail(why, "give a request: --headers FILE (or --header) and --body FILE, "
                                 "--request FILE, or --stored SEQ");
    return request_read_parts(request, options, why) &&
           request_add_headers(request, &options->headers, why);
}

struct request *request_open(const struct request_options *options, char why[REQUEST_WHY_SIZE])
{
    struct request *request = calloc(1, sizeof(*request));

    if (request == NULL)
        request_fail(why, "out of memory");
    else if (!request_fill(request, options, why))
        request_close(&request);
    return request;
}

void request_close(struct request **request)
{
    if (*request == NULL)
        return;
    header_lines_free(&(*request)->headers);
    buffer_free(&(*request)->memory);
    free((*request)->method);
    free((*request)->query);
    free((*request)->source);
    free(*request);
    *request = NULL;
}
