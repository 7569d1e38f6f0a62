/**
 * HTTP/1.1: {@code Http1Connection} is the life of a TCP connection, {@code Http1Exchange} a
 * request on it, and {@code NettyDuplex} the socket that the connection may become.
 */
package dev.windhover.server.http1;
