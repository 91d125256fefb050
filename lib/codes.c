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
    {HOOKLINE_VERIFIED, "verified", "a secret of this source gives the signature"},
    {HOOKLINE_NOT_CHECKED, "not_checked", "nothing was verified"},
    {HOOKLINE_MISSING_HEADER, "missing_header",
     "a header that the signature scheme needs is missing or empty"},
    {HOOKLINE_AMBIGUOUS_HEADER, "ambiguous_header",
     "a header of the signature scheme is there more than once, or can be read in two ways"},
    {HOOKLINE_BAD_SIGNATURE_FORMAT, "invalid_signature_format",
     "the signature header holds no signature of this scheme"},
    {HOOKLINE_BAD_TIMESTAMP, "invalid_timestamp",
     "the time is not written as this scheme writes times"},
    {HOOKLINE_MISMATCH, "signature_mismatch",
     "no secret of this source gives the signature: is the secret right, and the body unchanged?"},
    {HOOKLINE_TOO_OLD, "timestamp_too_old",
     "the signature is right but its time is too long ago: a repetition, or a wrong clock"},
    {HOOKLINE_TOO_NEW, "timestamp_too_new",
     "the signature is right but its time is in the future: compare the clocks"},
    {HOOKLINE_ID_MISMATCH, "webhook_id_mismatch",
     "the id in the header is not the one in the signed body"},
    {HOOKLINE_BAD_PAYLOAD, "invalid_payload",
     "the signature is right but the body is not the JSON object that it should be"},
    {HOOKLINE_BAD_ID, "invalid_webhook_id",
     "the message id is too long or holds a character that this scheme does not allow"},
    {HOOKLINE_BAD_CALL, "bad_call", "a needed argument is NULL, empty or not initialised"},
    {HOOKLINE_NO_MEMORY, "no_memory", "out of memory"},
    {HOOKLINE_NO_CRYPTO, "no_crypto", "libsodium could not be initialised"},
    {HOOKLINE_BAD_SCHEME, "bad_scheme",
     "there is no signature scheme of this name, or its description is refused"},
    {HOOKLINE_BAD_SECRET, "bad_secret",
     "the secret is empty, begins or ends with white space, is too long, is one too many or is "
     "not what the scheme's secrets look like"},
    {HOOKLINE_BAD_TOLERANCE, "bad_tolerance", "a tolerance is 0 to 86400 seconds"},
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
