/**
 * TLS: {@code TlsContext} holds the certificate, and {@code TlsLink} carries a connection's bytes.
 */
package dev.windhover.server.tls;
