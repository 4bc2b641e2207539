// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// OpenSSL as the system has it (3.0 or later), and the functions that its headers make of macros.

#ifndef GATECRASH_COPENSSL_H
#define GATECRASH_COPENSSL_H

#if !__has_include(<openssl/ssl.h>)
#error "OpenSSL's headers are missing; install the package libssl-dev (Debian, with pkg-config) or openssl@3 (Homebrew)"
#else

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

static inline int gatecrash_ctx_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int gatecrash_ctx_set_max_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}

static inline int gatecrash_ctx_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline void gatecrash_ctx_set_options(SSL_CTX *context) {
    // No renegotiation: a write then never waits for a read. A peer that only closes its socket is told apart by the
    // handler, not here.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
}

static inline int gatecrash_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

static inline size_t gatecrash_bio_pending(BIO *bio) { return BIO_ctrl_pending(bio); }

// An empty memory says "come again" instead of "this was the end".
static inline void gatecrash_bio_never_ends(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

static inline BIO *gatecrash_bio_of(const void *bytes, int count) { return BIO_new_mem_buf(bytes, count); }

// Of an error of the queue: an alert of the peer has its number plus 1000 as reason.
static inline int gatecrash_error_reason(unsigned long error) { return ERR_GET_REASON(error); }

#endif
#endif
