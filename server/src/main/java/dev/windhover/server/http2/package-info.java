/**
 * HTTP/2: {@code Http2Connection} is the life of a TCP connection, {@code Http2Exchange} a request
 * on one of its streams, and {@code Http2Duplex} the socket that the stream may become.
 */
package dev.windhover.server.http2;
