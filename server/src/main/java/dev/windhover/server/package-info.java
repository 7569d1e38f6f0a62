/**
 * {@link dev.windhover.server.Server} listens and hands each request, as an exchange, to what
 * {@link dev.windhover.http.Application#build()} returned. Inside, {@code Http1Connection} is the
 * life of one TCP connection, {@code Http1Exchange} one request on it, {@code NettyDuplex} what a
 * connection becomes once a request took it over.
 */
package dev.windhover.server;
