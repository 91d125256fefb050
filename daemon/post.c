/* SPDX-License-Identifier: MIT */
#include "post.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

struct post {
    struct post_set *set;
    struct post *next, *previous;
    CURL *easy;
    struct curl_slist *headers;
    void (*done)(void *data, const struct post_result *result);
    void *data;
    char *answer; /* if it is kept */
    size_t len, size;
    size_t head; /* bytes of the answer's headers */
    bool keep, cut;
    char error[CURL_ERROR_SIZE];
};

struct post_set {
    CURLM *multi;
    struct post *posts;
};

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_once);
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, 0);

    curl_free(text);
    return code == CURLUE_OK;
}

static const char *problem_of(CURLU *url, const char *text)
{
    char *scheme = NULL;
    bool http;

    /* Of three slashes libcurl ignores one. */
    if (strstr(text, ":///") != NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        !has_part(url, CURLUPART_HOST))
        return "expected a URL such as https://app.example.com/hooks";
    http = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    if (!http)
        return "expected a URL that begins with https:// or http://";
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        return "a URL with user and password would be seen by everybody who sees the "
               "configuration; sign the deliveries by secret instead";
    if (has_part(url, CURLUPART_FRAGMENT))
        return "the part of a URL from # on is never sent; leave it out";
    return NULL;
}

const char *post_url_problem(const char *text)
{
    CURLU *url;
    const char *problem;

    init();
    if ((url = curl_url()) == NULL)
        return "out of memory";
    problem = problem_of(url, text);
    curl_url_cleanup(url);
    return problem;
}

struct post_set *post_set_new(void)
{
    struct post_set *set = calloc(1, sizeof(*set));

    init();
    if (set != NULL && (set->multi = curl_multi_init()) == NULL) {
        free(set);
        set = NULL;
    }
    return set;
}

static void release(struct post *post)
{
    curl_multi_remove_handle(post->set->multi, post->easy);
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    free(post->answer);
    free(post);
}

static void unlink_post(struct post *post)
{
    if (post->previous != NULL)
        post->previous->next = post->next;
    else
        post->set->posts = post->next;
    if (post->next != NULL)
        post->next->previous = post->previous;
}

void post_set_free(struct post_set **set)
{
    if (*set == NULL)
        return;
    while ((*set)->posts != NULL) {
        struct post *post = (*set)->posts;

        unlink_post(post);
        release(post);
    }
    curl_multi_cleanup((*set)->multi);
    free(*set);
    *set = NULL;
}

/* libcurl keeps all headers of an answer. */
static size_t on_header(char *bytes, size_t one, size_t len, void *data)
{
    struct post *post = data;

    (void)bytes, (void)one;
    post->head += len;
    return post->head <= POST_ANSWER_HEAD_MAX ? len : 0;
}

static bool keep(struct post *post, const char *bytes, size_t len)
{
    if (post->size - post->len < len) {
        size_t size = post->len + len > 2 * post->size ? post->len + len : 2 * post->size;
        char *bigger = realloc(post->answer, size);

        if (bigger == NULL)
            return false;
        post->answer = bigger;
        post->size = size;
    }
    memcpy(post->answer + post->len, bytes, len);
    return true;
}

/* Returning less than `len` ends the transfer. */
static size_t on_body(char *bytes, size_t one, size_t len, void *data)
{
    struct post *post = data;

    (void)one;
    if (post->len + len > POST_ANSWER_MAX) {
        post->cut = true;
        return 0;
    }
    if (post->keep && !keep(post, bytes, len))
        return 0;
    post->len += len;
    return len;
}

static bool add_header(struct post *post, const char *line)
{
    struct curl_slist *longer = curl_slist_append(post->headers, line);

    if (longer == NULL)
        return false;
    post->headers = longer;
    return true;
}

/* Takes away what libcurl would add of its own: it must not wait for "100 Continue", and what has
 * no type is no form. */
static bool set_headers(struct post *post, const struct post_request *request)
{
    bool typed = false;

    if (!add_header(post, "Expect:"))
        return false;
    for (const char *const *line = request->headers; *line != NULL; line++) {
        typed |= strncasecmp(*line, "content-type", 12) == 0;
        if (!add_header(post, *line))
            return false;
    }
    return (typed || add_header(post, "Content-Type:")) &&
           curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK;
}

static bool set_target(CURL *easy, const struct post_target *target)
{
    return curl_easy_setopt(easy, CURLOPT_URL, target->url) == CURLE_OK &&
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
           (target->ca_file == NULL ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, target->ca_file) == CURLE_OK);
}

static bool set_request(struct post *post, const struct post_request *request)
{
    CURL *easy = post->easy;
    curl_off_t len = (curl_off_t)request->len;

    return curl_easy_setopt(easy, CURLOPT_PRIVATE, post) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, len == 0 ? "" : request->body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, post) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, post) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error) == CURLE_OK &&
           set_headers(post, request);
}

static void link_post(struct post *post)
{
    post->next = post->set->posts;
    if (post->next != NULL)
        post->next->previous = post;
    post->set->posts = post;
}

struct post *post_start(struct post_set *set, const struct post_request *request,
                        void (*done)(void *data, const struct post_result *result), void *data)
{
    struct post *post = calloc(1, sizeof(*post));

    if (post == NULL)
        return NULL;
    post->set = set;
    post->done = done;
    post->data = data;
    post->keep = request->keep_answer;
    post->easy = curl_easy_init();
    if (post->easy == NULL || !set_target(post->easy, request->target) ||
        !set_request(post, request) || curl_multi_add_handle(set->multi, post->easy) != CURLM_OK) {
        release(post);
        return NULL;
    }
    link_post(post);
    return post;
}

static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                   : NULL;
}

static void end(struct post *post, CURLcode code, const char *error)
{
    struct post_result result = {.cut = post->cut};
    long status = 0;

    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    result.status = (int)status;
    if (code == CURLE_OK || (post->cut && code == CURLE_WRITE_ERROR)) {
        result.outcome = POST_ANSWERED;
    } else {
        result.outcome = code == CURLE_OPERATION_TIMEDOUT ? POST_TIMEOUT : POST_FAILED;
        result.error = error != NULL            ? error
                       : post->error[0] != '\0' ? post->error
                                                : curl_easy_strerror(code);
    }
    result.retry_after = header_of(post->easy, "Retry-After");
    result.date = header_of(post->easy, "Date");
    result.content_type = header_of(post->easy, "Content-Type");
    if (post->keep) {
        result.answer = post->answer;
        result.len = post->len;
    }
    unlink_post(post);
    post->done(post->data, &result);
    release(post);
}

void post_cancel(struct post *post)
{
    end(post, CURLE_ABORTED_BY_CALLBACK, "given up because the daemon stops");
}

static void take_messages(struct post_set *set)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(set->multi, &left)) != NULL) {
        char *post = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
        end((struct post *)(void *)post, message->data.result, NULL);
    }
}

void post_poll(struct post_set *set, int wait_ms)
{
    int running;

    curl_multi_poll(set->multi, NULL, 0, wait_ms, NULL);
    curl_multi_perform(set->multi, &running);
    take_messages(set);
}

void post_wake(struct post_set *set)
{
    curl_multi_wakeup(set->multi);
}
