/* SPDX-License-Identifier: MIT */
#include <hookline.h>

const char *hookline_version(void)
{
    return HOOKLINE_VERSION;
}

static const struct row {
    int code;
    const char *name, *text;
} rows[] = {
    {HOOKLINE_VERIFIED, "verified", "the signature matches a secret of this source"},
    {HOOKLINE_NOT_CHECKED, "not_checked", "no request was verified"},
    {HOOKLINE_MISSING_HEADER, "missing_header",
     "a header of the signature scheme is missing or empty"},
    {HOOKLINE_AMBIGUOUS_HEADER, "ambiguous_header",
     "a header of the signature scheme occurs more than once, or has two possible readings"},
    {HOOKLINE_BAD_SIGNATURE_FORMAT, "invalid_signature_format",
     "the signature header contains no signature in the format of this scheme"},
    {HOOKLINE_BAD_TIMESTAMP, "invalid_timestamp",
     "the timestamp is not in the format of this scheme"},
    {HOOKLINE_MISMATCH, "signature_mismatch",
     "the signature matches no secret of this source: is the secret right, the body unchanged?"},
    {HOOKLINE_TOO_OLD, "timestamp_too_old",
     "the signature is valid but its timestamp is too old: a replay, or a wrong clock"},
    {HOOKLINE_TOO_NEW, "timestamp_too_new",
     "the signature is valid but its timestamp is in the future: compare the clocks"},
    {HOOKLINE_ID_MISMATCH, "webhook_id_mismatch",
     "the id in the header differs from the id in the signed body"},
    {HOOKLINE_BAD_PAYLOAD, "invalid_payload",
     "the signature is valid but the body lacks the id or time that the scheme needs"},
    {HOOKLINE_BAD_ID, "invalid_webhook_id",
     "the message id is too long or contains a character that this scheme forbids"},
    {HOOKLINE_BAD_CALL, "bad_call", "a required argument is NULL, empty or not initialised"},
    {HOOKLINE_NO_MEMORY, "no_memory", "out of memory"},
    {HOOKLINE_NO_CRYPTO, "no_crypto", "libsodium could not be initialised"},
    {HOOKLINE_BAD_SCHEME, "bad_scheme",
     "the signature scheme is unknown, or its description is refused"},
    {HOOKLINE_BAD_SECRET, "bad_secret",
     "the secret is empty, too long, not in the format of this scheme or one too many, or begins "
     "or ends with white space"},
    {HOOKLINE_BAD_TOLERANCE, "bad_tolerance", "the tolerance is outside 0 to 86400 seconds"},
};

static const struct row *code_find_row(int code)
{
    static const struct row unknown = {0, "unknown", "unknown code"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code)
            return &rows[i];
    return &unknown;
}

const char *hookline_code_name(int code)
{
    return code_find_row(code)->name;
}

const char *hookline_code_text(int code)
{
    return code_find_row(code)->text;
}
