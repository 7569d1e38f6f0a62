/**
 * The public API of the host. {@link dev.windhover.server.Server} listens and hands each request,
 * as an exchange, to what {@link dev.windhover.http.Application#build()} returned. Only {@code
 * Server} knows the packages inside, which may know the options here.
 */
package dev.windhover.server;
