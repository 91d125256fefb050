/* SPDX-License-Identifier: MIT */
#include "daemon/http/client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <sodium.h>

#include "daemon/base/buffer.h"

enum {
    CLIENT_CONNECTION_S = 30, /* greatest age of a connection that gets another request */
    CLIENT_DNS_S = 20,        /* greatest age of a cached DNS answer */
};

struct client_call {
    struct client_calls *set;
    struct client_call *next, *previous;
    CURL *easy;
    struct curl_slist *headers;
    void (*done)(void *data, const struct client_result *result);
    bool (*hear)(void *data, const char *bytes, size_t len);
    void *data;
    struct buffer answer; /* empty unless `keep` */
    size_t head, body;    /* bytes received of each */
    bool keep, cut;
    char error[CURL_ERROR_SIZE];
};

struct client_calls {
    CURLM *multi;
    struct client_call *calls;
};

static void client_init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void client_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, client_init_once);
}

static bool client_url_has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, 0);

    curl_free(text);
    return code == CURLUE_OK;
}

/* libcurl would convert the host by the process's locale, and fails with that of hooklined, "C". */
static bool client_host_is_ascii(CURLU *url)
{
    char *host = NULL;
    bool good = curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;

    for (const char *c = host; good && *c != '\0'; c++)
        good = (unsigned char)*c < 0x80;
    curl_free(host);
    return good;
}

static const char *client_check_url(CURLU *url, const char *text)
{
    char *scheme = NULL;
    bool http;

    /* libcurl would ignore the third slash. */
    if (strstr(text, ":///") != NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        !client_url_has_part(url, CURLUPART_HOST))
        return "expected a URL such as https://app.example.com/hooks";
    http = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    if (!http)
        return "expected a URL that begins with https:// or http://";
    if (client_url_has_part(url, CURLUPART_USER) || client_url_has_part(url, CURLUPART_PASSWORD))
        return "expected a URL without user and password: anyone who sees the URL would see them";
    if (!client_host_is_ascii(url))
        return "expected a host of ASCII characters; type its xn-- form, which idn2 HOST prints";
    if (client_url_has_part(url, CURLUPART_FRAGMENT))
        return "expected a URL without a fragment (#...), which is never sent";
    return NULL;
}

const char *client_url_problem(const char *text)
{
    CURLU *url;
    const char *problem;

    client_init();
    if ((url = curl_url()) == NULL)
        return "out of memory";
    problem = client_check_url(url, text);
    curl_url_cleanup(url);
    return problem;
}

struct client_calls *client_calls_new(void)
{
    struct client_calls *set = calloc(1, sizeof(*set));

    client_init();
    if (set != NULL && (set->multi = curl_multi_init()) == NULL) {
        free(set);
        set = NULL;
    }
    return set;
}

/* Wipes the headers, because some hold credentials. */
static void client_call_free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line != NULL; line = line->next)
        sodium_memzero(line->data, strlen(line->data));
    curl_slist_free_all(headers);
}

static void client_call_free(struct client_call *call)
{
    curl_multi_remove_handle(call->set->multi, call->easy);
    curl_easy_cleanup(call->easy);
    client_call_free_headers(call->headers);
    buffer_free(&call->answer);
    free(call);
}

static void client_call_unlink(struct client_call *call)
{
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        call->set->calls = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
}

void client_calls_free(struct client_calls **set)
{
    if (*set == NULL)
        return;
    while ((*set)->calls != NULL) {
        struct client_call *call = (*set)->calls;

        client_call_unlink(call);
        client_call_free(call);
    }
    curl_multi_cleanup((*set)->multi);
    free(*set);
    *set = NULL;
}

/* Limits the headers, because libcurl keeps all of them in memory. */
static size_t client_on_header(char *bytes, size_t one, size_t len, void *data)
{
    struct client_call *call = data;

    (void)bytes, (void)one;
    call->head += len;
    return call->head <= CLIENT_HEAD_MAX ? len : 0;
}

/* Returns less than `len` to end the transfer. */
static size_t client_on_body(char *bytes, size_t one, size_t len, void *data)
{
    struct client_call *call = data;

    (void)one;
    if (call->hear != NULL)
        return call->hear(call->data, bytes, len) ? len : 0;
    if (call->body + len > CLIENT_BODY_MAX) {
        call->cut = true;
        return 0;
    }
    call->body += len;
    return !call->keep || buffer_append(&call->answer, bytes, len) ? len : 0;
}

static bool client_add_header(struct client_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);

    if (longer == NULL)
        return false;
    call->headers = longer;
    return true;
}

/* Suppresses two headers of libcurl: Expect, which would wait for "100 Continue", and the form
 * Content-Type of a request without a type. */
static bool client_set_headers(struct client_call *call, const struct client_request *request)
{
    bool typed = false;

    if (!client_add_header(call, "Expect:"))
        return false;
    for (const char *const *line = request->headers; *line != NULL; line++) {
        typed |= strncasecmp(*line, "content-type:", 13) == 0 ||
                 strncasecmp(*line, "content-type;", 13) == 0;
        if (!client_add_header(call, *line))
            return false;
    }
    return (typed || client_add_header(call, "Content-Type:")) &&
           curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK;
}

/* Trusts only ca_file: no system CA directory, no cached CA store (24 h by default). */
static bool client_set_authorities(CURL *easy, const char *ca_file)
{
    return ca_file == NULL || (curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
                               curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
                               curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) == CURLE_OK);
}

/* The empty passphrase keeps OpenSSL from prompting for one. */
static bool client_set_certificate(CURL *easy, const struct client_target *target)
{
    return target->certificate == NULL ||
           (curl_easy_setopt(easy, CURLOPT_SSLCERT, target->certificate) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_SSLKEY, target->key) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "") == CURLE_OK);
}

/* The two ages bound how long requests go to an address that DNS no longer gives. */
static bool client_set_ages(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CLIENT_CONNECTION_S) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)CLIENT_DNS_S) == CURLE_OK;
}

static bool client_set_target(CURL *easy, const struct client_target *target)
{
    return client_set_authorities(easy, target->ca_file) && client_set_certificate(easy, target) &&
           client_set_ages(easy) &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)target->timeout_s) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)target->timeout_s) == CURLE_OK &&
           (target->unix_socket == NULL ||
            curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->unix_socket) == CURLE_OK);
}

/* CURLOPT_POST resets the method, so CURLOPT_CUSTOMREQUEST comes last. */
static bool client_set_method(CURL *easy, const struct client_request *request)
{
    curl_off_t len = (curl_off_t)request->len;

    if (request->method != NULL && strcmp(request->method, "GET") == 0)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, len == 0 ? "" : request->body) == CURLE_OK &&
           (request->method == NULL ||
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK);
}

static bool client_set_request(struct client_call *call, const struct client_request *request)
{
    const char *url = request->url == NULL ? request->target->url : request->url;
    CURL *easy = call->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
           client_set_method(easy, request) &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, client_on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, client_on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error) == CURLE_OK &&
           client_set_headers(call, request);
}

static void client_call_link(struct client_call *call)
{
    call->next = call->set->calls;
    if (call->next != NULL)
        call->next->previous = call;
    call->set->calls = call;
}

struct client_call *client_call_start(struct client_calls *set,
                                      const struct client_request *request,
                                      void (*done)(void *data, const struct client_result *result),
                                      void *data)
{
    struct client_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->set = set;
    call->done = done;
    call->data = data;
    call->keep = request->keep_answer;
    call->hear = request->hear;
    call->easy = curl_easy_init();
    if (call->easy == NULL || !client_set_target(call->easy, request->target) ||
        !client_set_request(call, request)) {
        client_call_free(call);
        return NULL;
    }
    if (request->tune != NULL)
        request->tune(data, call->easy);
    if (curl_multi_add_handle(set->multi, call->easy) != CURLM_OK) {
        client_call_free(call);
        return NULL;
    }
    client_call_link(call);
    return call;
}

static const char *client_header_of(CURL *easy, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                   : NULL;
}

static void client_call_end(struct client_call *call, CURLcode code, const char *error)
{
    struct client_result result = {.cut = call->cut};
    long status = 0, system_error = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &system_error);
    result.status = (int)status;
    result.system_error = (int)system_error;
    if (code == CURLE_OK || (call->cut && code == CURLE_WRITE_ERROR)) {
        result.outcome = CLIENT_ANSWERED;
    } else {
        result.outcome = code == CURLE_OPERATION_TIMEDOUT ? CLIENT_TIMEOUT : CLIENT_FAILED;
        result.error = error != NULL            ? error
                       : call->error[0] != '\0' ? call->error
                                                : curl_easy_strerror(code);
    }
    result.retry_after = client_header_of(call->easy, "Retry-After");
    result.date = client_header_of(call->easy, "Date");
    result.content_type = client_header_of(call->easy, "Content-Type");
    result.content_encoding = client_header_of(call->easy, "Content-Encoding");
    result.location = client_header_of(call->easy, "Location");
    if (call->keep) {
        result.answer = call->answer.base;
        result.len = call->answer.len;
    }
    client_call_unlink(call);
    call->done(call->data, &result);
    client_call_free(call);
}

void client_call_cancel(struct client_call *call)
{
    client_call_end(call, CURLE_ABORTED_BY_CALLBACK, "cancelled: the daemon is stopping");
}

static void client_calls_take_results(struct client_calls *set)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(set->multi, &left)) != NULL) {
        char *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        client_call_end((struct client_call *)(void *)call, message->data.result, NULL);
    }
}

void client_calls_poll(struct client_calls *set, int wait_ms)
{
    int running;

    curl_multi_poll(set->multi, NULL, 0, wait_ms, NULL);
    curl_multi_perform(set->multi, &running);
    client_calls_take_results(set);
}

void client_calls_wake(struct client_calls *set)
{
    curl_multi_wakeup(set->multi);
}
