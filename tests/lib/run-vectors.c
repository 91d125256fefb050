/* SPDX-License-Identifier: MIT
 *
 * Runs the files of tests/vectors/: one TAP line for each vector, and a second one if a signer must
 * write identical headers.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include <hookline.h>

enum {
    REQUEST_HEAD_FIELDS_MAX = 16
};

static int ran, failed;

struct vector {
    const char *file, *name;
    const cJSON *json;
    hookline_header headers[REQUEST_HEAD_FIELDS_MAX];
    hookline_header_list list;
    hookline_request req;
    unsigned char *bytes; /* decoded body_base64 */
    int64_t now;
};

__attribute__((format(printf, 3, 4))) static void tell(const struct vector *t, int ok,
                                                       const char *why, ...)
{
    va_list args;

    ran++;
    printf("%sok %d - %s: %s\n", ok ? "" : "not ", ran, t->file, t->name);
    if (ok)
        return;
    failed++;
    va_start(args, why);
    printf("# ");
    vprintf(why, args);
    printf("\n");
    va_end(args);
}

static void give_up(const char *file, const char *why)
{
    printf("Bail out! %s: %s\n", file, why);
    exit(EXIT_FAILURE);
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(get(object, name));
}

static hookline_bytes bytes(const char *string)
{
    return string == NULL ? (hookline_bytes){NULL, 0} : (hookline_bytes){string, strlen(string)};
}

static int same(hookline_bytes a, hookline_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0);
}

static void read_body(struct vector *t)
{
    const char *base64 = text(t->json, "body_base64");
    size_t len = 0;

    t->req.body = bytes(text(t->json, "body"));
    if (base64 == NULL)
        return;
    t->bytes = malloc(strlen(base64) + 1);
    if (t->bytes == NULL ||
        sodium_base642bin(t->bytes, strlen(base64), base64, strlen(base64), NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        give_up(t->file, "body_base64");
    t->req.body = (hookline_bytes){(const char *)t->bytes, len};
}

static void read_vector(struct vector *t)
{
    const cJSON *pair, *now = get(t->json, "now");

    t->name = text(t->json, "name");
    if (t->name == NULL || text(t->json, "expect") == NULL || text(t->json, "source") == NULL ||
        !cJSON_IsNumber(now))
        give_up(t->file, "a vector lacks its name, source, now or expect");
    t->now = (int64_t)now->valuedouble;
    cJSON_ArrayForEach(pair, get(t->json, "headers"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
        const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));

        if (name == NULL || value == NULL || t->list.count == REQUEST_HEAD_FIELDS_MAX)
            give_up(t->name, "headers");
        t->headers[t->list.count++] = (hookline_header){name, bytes(value)};
    }
    t->list.entries = t->headers;
    t->req.find_header = hookline_find_in_list;
    t->req.headers = &t->list;
    t->req.method = bytes(text(t->json, "method"));
    t->req.url = bytes(text(t->json, "url"));
    read_body(t);
}

static int add_secrets(hookline_verifier *v, const cJSON *secrets)
{
    int code = 0;

    for (int i = 1; i < cJSON_GetArraySize(secrets) && code == 0; i++)
        code =
            hookline_verifier_add_secret(v, cJSON_GetStringValue(cJSON_GetArrayItem(secrets, i)));
    return code;
}

/* Returns the code of the first failed step, or 0. */
static int make_verifier(hookline_verifier **v, const cJSON *file, const cJSON *vector)
{
    const cJSON *secrets = get(vector, "secrets"), *tolerance = get(vector, "tolerance");
    const char *secret = cJSON_GetStringValue(cJSON_GetArrayItem(secrets, 0));
    const char *scheme = text(file, "scheme");
    char why[256] = "";
    int code = scheme != NULL ? hookline_verifier_new(v, scheme, secret)
                              : hookline_verifier_new_custom(v, text(file, "description"), secret,
                                                             why, sizeof(why));

    if (code == HOOKLINE_BAD_SCHEME)
        give_up(scheme != NULL ? scheme : text(file, "description"), why);
    if (code == 0)
        code = add_secrets(*v, secrets);
    if (code == 0 && tolerance != NULL)
        code = hookline_verifier_set_tolerance(
            *v, (int64_t)cJSON_GetArrayItem(tolerance, 0)->valuedouble,
            (int64_t)cJSON_GetArrayItem(tolerance, 1)->valuedouble);
    return code;
}

static int number_differs(const struct vector *t, const char *name, int64_t got)
{
    const cJSON *wanted = get(t->json, name);
    volatile double rounded = (double)got; /* the registers of i386 do not round */

    return wanted != NULL && rounded != wanted->valuedouble;
}

/* The name of a result field that differs from the vector, or NULL. */
static const char *different_field(const struct vector *t, const hookline_result *r)
{
    int accepted = hookline_accepted(*r);

    if (number_differs(t, "secret", r->secret))
        return "secret";
    if (number_differs(t, "signed_at", r->signed_at))
        return "signed_at";
    if (number_differs(t, "fresh", r->fresh))
        return "fresh";
    if (text(t->json, "id") != NULL && !same(bytes(text(t->json, "id")), r->id))
        return "id";
    return same(accepted ? t->req.body : (hookline_bytes){NULL, 0}, r->payload) ? NULL : "payload";
}

static void compare(const struct vector *t, const hookline_result *r)
{
    const char *expected = text(t->json, "expect"), *got = hookline_code_name(r->reason);
    const char *field = different_field(t, r);

    if (strcmp(expected, got) != 0)
        tell(t, 0, "expected %s, got %s", expected, got);
    else
        tell(t, field == NULL, "%s: another %s than expected", got, field == NULL ? "" : field);
}

/* A signed header that the vector lacks or has with another value, or NULL. */
static const hookline_header *different_header(const struct vector *t, const hookline_signature *s)
{
    for (size_t i = 0; i < s->headers.count; i++) {
        const hookline_header *wanted = &s->headers.entries[i];
        hookline_bytes value;

        if (hookline_find_in_list(&t->list, wanted->name, &value) != 1 ||
            !same(value, wanted->value))
            return wanted;
    }
    return NULL;
}

static void sign_again(struct vector *t, const hookline_verifier *v, const hookline_result *r)
{
    int64_t now = r->signed_at > 0 ? r->signed_at : t->now;
    hookline_signature signature;
    const hookline_header *different;
    char name[512];
    int code = hookline_sign(v, &t->req, r->id, now, &signature);

    snprintf(name, sizeof(name), "%s, and signed so", t->name);
    t->name = name;
    if (code < 0) {
        tell(t, 0, "signing: %s", hookline_code_name(code));
        return;
    }
    different = different_header(t, &signature);
    tell(t, different == NULL && signature.headers.count > 0, "signed: %s: %.*s",
         different == NULL ? "" : different->name,
         different == NULL ? 0 : (int)different->value.len,
         different == NULL ? "" : different->value.base);
}

static void run_vector(const char *file, const cJSON *json, const cJSON *vector)
{
    struct vector t = {.file = file, .json = vector};
    hookline_verifier *v = NULL;
    int code;

    read_vector(&t);
    code = make_verifier(&v, json, vector);
    if (code < 0) {
        compare(&t, &(hookline_result){.reason = code, .secret = -1, .signed_at = -1});
    } else {
        hookline_result r = hookline_verify(v, &t.req, t.now);

        compare(&t, &r);
        if (cJSON_IsTrue(get(vector, "canonical")))
            sign_again(&t, v, &r);
    }
    hookline_verifier_free(&v);
    free(t.bytes);
}

static cJSON *read_json(const char *path)
{
    static char buffer[1 << 20];
    FILE *f = fopen(path, "r");
    size_t len = f == NULL ? 0 : fread(buffer, 1, sizeof(buffer), f);

    if (f != NULL)
        fclose(f);
    return cJSON_ParseWithLength(buffer, len);
}

static void run_file(const char *folder, const char *file)
{
    char path[4096];
    cJSON *json;
    const cJSON *vector;

    snprintf(path, sizeof(path), "%s/%s", folder, file);
    json = read_json(path);
    if (!cJSON_IsArray(get(json, "vectors")))
        give_up(path, "no JSON with vectors");
    cJSON_ArrayForEach(vector, get(json, "vectors")) run_vector(file, json, vector);
    cJSON_Delete(json);
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".json") == 0;
}

int main(void)
{
    const char *top = getenv("top_srcdir");
    char folder[2048];
    struct dirent **files;
    int count;

    snprintf(folder, sizeof(folder), "%s/tests/vectors", top == NULL ? "." : top);
    count = scandir(folder, &files, is_json, alphasort);
    if (count <= 0)
        give_up(folder, "no vectors");
    for (int i = 0; i < count; i++) {
        run_file(folder, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    printf("1..%d\n", ran);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
