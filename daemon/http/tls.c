/* SPDX-License-Identifier: MIT */
#include "daemon/http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "daemon/base/clock.h"
#include "daemon/conf/config.h"

/* ---- certificates */

enum {
    CERTIFICATE_WARNING_SIZE = 4096 + 256 /* path and warning */
};

static bool certificate_is_in_file(FILE *file)
{
    /* The empty passphrase keeps OpenSSL from prompting. */
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
        problem = "no PEM certificate";
    fclose(file);
    return problem;
}

/* Returns true if TLS 1.3 or tls_ciphers can use the key type. */
static bool certificate_key_is_usable(const X509 *certificate)
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

/* Returns notAfter in seconds since 1970. */
static int64_t certificate_end_s(const X509 *certificate)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;

    if (epoch != NULL)
        ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate));
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

/* Returns NULL if the certificate is valid at `now_s`. */
static const char *certificate_time_problem(const X509 *certificate, int64_t now_s)
{
    time_t now = (time_t)now_s;

    if (certificate_end_s(certificate) <= now_s)
        return "has expired";
    return X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0 ? "is not valid yet" : NULL;
}

/* TLS 1.3 allows only these curves; few TLS 1.2 clients offer others. */
static bool certificate_curve_is_common(const char *curve)
{
    return strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0 ||
           strcmp(curve, "secp521r1") == 0;
}

/* Warns about a server certificate that clients will reject. */
static void certificate_warn(const X509 *certificate, const char *path, int64_t now_s,
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
        snprintf(text, sizeof(text), "%s: few clients support the curve %s; use P-256", path,
                 curve);
        warn(text);
    }
}

/* Warns about an expired or future client CA: no client certificate verifies against it. */
static void certificate_warn_authority(const X509 *authority, const char *path, int64_t now_s,
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

/* ---- TLS */

static const char tls_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; /* TLS 1.2 only */
static const unsigned char tls_alpn_http1[] = "\x08http/1.1";

struct tls {
    pthread_mutex_t mutex; /* guards both members below */
    SSL_CTX *context;
    int64_t end_s;
};

struct tls_reading {
    const struct config_tls *config;
    SSL_CTX *context;
    const char **key;
    char *why;
    size_t why_size;
};

/* ---- alerts and close_notify */

/* Last bytes that OpenSSL wrote in a handshake. libh2o drops them when the handshake fails, so
 * the peer would not see the alert. */
static _Thread_local struct {
    char bytes[TLS_ALERT_SIZE];
    size_t len;
    bool fatal;
} tls_last_written;

static long tls_on_written(BIO *bio, int operation, const char *bytes, size_t len, int argi,
                           long argl, int result, size_t *processed)
{
    (void)bio;
    (void)argi;
    (void)argl;
    (void)processed;
    if (operation == BIO_CB_WRITE) {
        tls_last_written.len = len <= sizeof(tls_last_written.bytes) ? len : 0;
        memcpy(tls_last_written.bytes, bytes, tls_last_written.len);
    }
    return result;
}

static _Thread_local void (*tls_close_notify_heard)(void *socket);

void tls_on_close_notify(void (*heard)(void *socket))
{
    tls_close_notify_heard = heard;
}

/* Returns true during the handshake. Later alerts are libh2o's to send. */
static bool tls_is_watched(const SSL *ssl)
{
    return BIO_get_callback_ex(SSL_get_wbio(ssl)) == tls_on_written;
}

static void tls_on_event(const SSL *ssl, int where, int alert)
{
    const int fatal = 2;

    if (where & SSL_CB_HANDSHAKE_START) {
        tls_last_written.fatal = false;
        BIO_set_callback_ex(SSL_get_wbio(ssl), tls_on_written);
    } else if (where & SSL_CB_HANDSHAKE_DONE) {
        BIO_set_callback_ex(SSL_get_wbio(ssl), NULL);
    } else if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT) {
        tls_last_written.fatal =
            tls_last_written.fatal || (alert >> 8 == fatal && tls_is_watched(ssl));
    } else if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
               (alert & 0xff) == SSL_AD_CLOSE_NOTIFY) {
        tls_close_notify_heard(BIO_get_data(SSL_get_rbio(ssl)));
    }
}

size_t tls_take_alert(char alert[TLS_ALERT_SIZE])
{
    size_t len = tls_last_written.fatal ? tls_last_written.len : 0;

    tls_last_written.fatal = false;
    memcpy(alert, tls_last_written.bytes, len);
    return len;
}

/* ---- reading files */

static bool tls_fail(struct tls_reading *r, const char *key, const char *path, const char *problem)
{
    *r->key = key;
    snprintf(r->why, r->why_size, "%s%s%s", path, path[0] == '\0' ? "" : ": ", problem);
    return false;
}

/* Returns true if OpenSSL found no PEM block: `otherwise` says so more clearly than OpenSSL. */
static bool tls_error_is_of_nothing(unsigned long error)
{
    int library = ERR_GET_LIB(error), reason = ERR_GET_REASON(error);

    return (library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
           (library == ERR_LIB_X509 && reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND);
}

static bool tls_fail_openssl(struct tls_reading *r, const char *key, const char *path,
                             const char *otherwise)
{
    unsigned long error = ERR_peek_error(); /* the first error is the cause of the later ones */
    const char *reason = ERR_reason_error_string(error);

    if (error == 0 || reason == NULL || tls_error_is_of_nothing(error))
        reason = otherwise;
    tls_fail(r, key, path, reason);
    ERR_clear_error();
    return false;
}

static bool tls_is_readable(struct tls_reading *r, const char *key, const char *path)
{
    /* O_NONBLOCK, because opening a FIFO would block. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool good = fd >= 0 && fstat(fd, &st) == 0;

    if (!good)
        tls_fail(r, key, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        good = tls_fail(r, key, path, "not a regular file");
    if (fd >= 0)
        close(fd);
    return good;
}

/* Fails instead of prompting. Sets the bool `data`, if any, to true. */
static int tls_no_passphrase(char *text, int size, int writing, void *data)
{
    (void)text;
    (void)size;
    (void)writing;
    if (data != NULL)
        *(bool *)data = true;
    return -1;
}

static bool tls_read_certificate(struct tls_reading *r)
{
    const char *path = r->config->certificate;

    if (!tls_is_readable(r, "certificate", path))
        return false;
    if (SSL_CTX_use_certificate_chain_file(r->context, path) != 1)
        return tls_fail_openssl(r, "certificate", path, "no PEM certificate");
    return certificate_key_is_usable(SSL_CTX_get0_certificate(r->context)) ||
           tls_fail(r, "certificate", path, "unsupported key type; expected RSA, EC or Ed25519");
}

static bool tls_key_is_private(struct tls_reading *r, int fd, const char *path)
{
    char problem[128];
    struct stat st;

    if (fstat(fd, &st) != 0)
        return tls_fail(r, "key", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return tls_fail(r, "key", path, "not a regular file");
    if ((st.st_mode & S_IRWXO) == 0 && (st.st_mode & S_IWGRP) == 0)
        return true;
    snprintf(problem, sizeof(problem),
             "mode %04o gives others access to the key; try: chmod 0600, or g-w,o-rwx",
             st.st_mode & 07777);
    return tls_fail(r, "key", path, problem);
}

static bool tls_take_key(struct tls_reading *r, int fd, const char *path)
{
    BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);
    bool encrypted = false, good;
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, tls_no_passphrase, &encrypted);

    if (key == NULL && encrypted)
        good =
            tls_fail(r, "key", path, "the key is encrypted; expected a key without a passphrase");
    else if (key == NULL)
        good = tls_fail(r, "key", path, "no PEM private key");
    else if (SSL_CTX_use_PrivateKey(r->context, key) != 1 ||
             SSL_CTX_check_private_key(r->context) != 1)
        good = tls_fail(r, "key", path, "the key does not match the certificate");
    else
        good = true;
    ERR_clear_error();
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

static bool tls_read_key(struct tls_reading *r)
{
    const char *path = r->config->key;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool good;

    if (fd < 0)
        return tls_fail(r, "key", path, strerror(errno));
    good = tls_key_is_private(r, fd, path) && tls_take_key(r, fd, path);
    close(fd);
    return good;
}

static bool tls_read_client_ca(struct tls_reading *r)
{
    const char *path = r->config->client_ca_file;
    STACK_OF(X509_NAME) * names;

    if (path == NULL)
        return true;
    if (!tls_is_readable(r, "client_ca_file", path))
        return false;
    /* Keep this order: SSL_load_client_CA_file() prompts for a passphrase where
     * SSL_CTX_load_verify_file() fails. */
    if (SSL_CTX_load_verify_file(r->context, path) != 1 ||
        (names = SSL_load_client_CA_file(path)) == NULL)
        return tls_fail_openssl(r, "client_ca_file", path, "no PEM certificate");
    SSL_CTX_set_client_CA_list(r->context, names);
    SSL_CTX_set_verify(r->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    /* Trusts a listed intermediate CA without its root. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(r->context), X509_V_FLAG_PARTIAL_CHAIN);
    return true;
}

/* A client that offers only HTTP/2 gets no ALPN answer and closes by itself. */
static int tls_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *data)
{
    (void)ssl;
    (void)data;
    return SSL_select_next_proto((unsigned char **)out, out_len, tls_alpn_http1,
                                 sizeof(tls_alpn_http1) - 1, in, in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static bool tls_set_up_context(struct tls_reading *r)
{
    SSL_CTX *c = r->context = SSL_CTX_new(TLS_server_method());

    if (c == NULL || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(c, tls_ciphers) != 1)
        return tls_fail_openssl(r, "", "", "cannot set up TLS");
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    /* No session resumption: a resumed session would skip the client certificate, and with TLS
     * 1.2 a leaked ticket key would decrypt recorded connections. */
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_default_passwd_cb(c, tls_no_passphrase);
    SSL_CTX_set_alpn_select_cb(c, tls_choose_alpn, NULL);
    SSL_CTX_set_info_callback(c, tls_on_event);
    return true;
}

static void tls_warn(const SSL_CTX *context, const struct config_tls *config,
                     void (*warn)(const char *text))
{
    int64_t now_s = clock_wall_us() / 1000000;
    STACK_OF(X509_OBJECT) *authorities = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));

    certificate_warn(SSL_CTX_get0_certificate(context), config->certificate, now_s, warn);
    for (int i = 0; i < sk_X509_OBJECT_num(authorities); i++) {
        const X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(authorities, i));

        if (authority != NULL)
            certificate_warn_authority(authority, config->client_ca_file, now_s, warn);
    }
}

struct tls *tls_open(const struct config_tls *config, void (*warn)(const char *text),
                     const char **key, char *why, size_t why_size)
{
    struct tls_reading r = {config, NULL, key, why, why_size};
    struct tls *tls = NULL;

    ERR_clear_error();
    if (tls_set_up_context(&r) && tls_read_certificate(&r) && tls_read_key(&r) &&
        tls_read_client_ca(&r) && (tls = calloc(1, sizeof(*tls))) == NULL)
        tls_fail(&r, "", "", "out of memory");
    if (tls == NULL) {
        SSL_CTX_free(r.context);
        return NULL;
    }
    pthread_mutex_init(&tls->mutex, NULL);
    tls->context = r.context;
    tls->end_s = certificate_end_s(SSL_CTX_get0_certificate(tls->context));
    tls_warn(tls->context, config, warn);
    return tls;
}

void tls_free(struct tls **tls)
{
    if (*tls != NULL) {
        SSL_CTX_free((*tls)->context);
        pthread_mutex_destroy(&(*tls)->mutex);
    }
    free(*tls);
    *tls = NULL;
}

void tls_renew(struct tls *tls, struct tls **newer)
{
    SSL_CTX *old;

    pthread_mutex_lock(&tls->mutex);
    old = tls->context;
    tls->context = (*newer)->context;
    tls->end_s = (*newer)->end_s;
    pthread_mutex_unlock(&tls->mutex);
    (*newer)->context = old;
    tls_free(newer);
}

SSL_CTX *tls_hold(struct tls *tls)
{
    SSL_CTX *context;

    pthread_mutex_lock(&tls->mutex);
    context = tls->context;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->mutex);
    return context;
}

int64_t tls_end_s(struct tls *tls)
{
    int64_t end_s;

    pthread_mutex_lock(&tls->mutex);
    end_s = tls->end_s;
    pthread_mutex_unlock(&tls->mutex);
    return end_s;
}
