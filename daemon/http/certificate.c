/* SPDX-License-Identifier: MIT */
#include "daemon/http/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
    CERTIFICATE_WARNING_SIZE = 4096 + 256 /* a path, and what is said of it */
};

static bool certificate_is_in_file(FILE *file)
{
    /* Instead of a prompt, which is what happens without: a passphrase that is wrong. */
    X509 *first = PEM_read_X509_AUX(file, NULL, NULL, "");

    ERR_clear_error();
    X509_free(first);
    return first != NULL;
}

const char *certificate_file_problem(const char *path)
{
    const char *problem = NULL;
    struct stat st;
    FILE *file;

    if (stat(path, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "not a regular file";
    if (!S_ISREG(st.st_mode))
        return NULL;
    if ((file = fopen(path, "re")) == NULL)
        return strerror(errno);
    if (!certificate_is_in_file(file))
        problem = "no certificate in PEM";
    fclose(file);
    return problem;
}

bool certificate_key_is_usable(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);

    switch (key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_EC:
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return true;
    default:
        return false;
    }
}

int64_t certificate_end_s(const X509 *certificate)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;

    if (epoch != NULL)
        ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate));
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

/* NULL if it is good now. */
static const char *certificate_time_problem(const X509 *certificate, int64_t now_s)
{
    time_t now = (time_t)now_s;

    if (certificate_end_s(certificate) <= now_s)
        return "has expired";
    return X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0 ? "is not valid yet" : NULL;
}

/* TLS 1.3 has these alone, and with 1.2 hardly a client offers others. */
static bool certificate_curve_is_common(const char *curve)
{
    return strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0 ||
           strcmp(curve, "secp521r1") == 0;
}

void certificate_warn(const X509 *certificate, const char *path, int64_t now_s,
                      void (*warn)(const char *text))
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    const char *problem = certificate_time_problem(certificate, now_s);
    char text[CERTIFICATE_WARNING_SIZE], curve[64] = "unnamed";

    if (problem != NULL) {
        snprintf(text, sizeof(text), "%s: the certificate %s", path, problem);
        warn(text);
    }
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return;
    EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
    if (!certificate_curve_is_common(curve)) {
        snprintf(text, sizeof(text), "%s: hardly a client knows its curve, %s; all know P-256",
                 path, curve);
        warn(text);
    }
}

void certificate_warn_authority(const X509 *authority, const char *path, int64_t now_s,
                                void (*warn)(const char *text))
{
    const char *problem = certificate_time_problem(authority, now_s);
    char text[CERTIFICATE_WARNING_SIZE], name[160];

    if (problem == NULL)
        return;
    X509_NAME_oneline(X509_get_subject_name(authority), name, sizeof(name));
    snprintf(text, sizeof(text), "%s: the certificate of %s %s", path, name, problem);
    warn(text);
}
