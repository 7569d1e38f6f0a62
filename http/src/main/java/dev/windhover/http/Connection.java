package dev.windhover.http;

import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The connection that a request came on.
 *
 * @param id unique within the process, for logs
 * @param remote the client's address: the peer's, or what a known proxy says about it
 * @param local the address that the peer reached
 * @param tls the TLS protocol in use, as {@code TLSv1.3}, or null without TLS
 * @param version the version of HTTP spoken on it
 */
public record Connection(
    String id,
    SocketAddress remote,
    SocketAddress local,
    @Nullable String tls,
    HttpVersion version) {}
