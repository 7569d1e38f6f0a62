/**
 * The seam between a host and everything above it. A host (Netty, a servlet container, memory)
 * offers {@link dev.windhover.http.host.Exchange}s to an {@link
 * dev.windhover.http.host.ExchangeHandler}; a request that becomes something else is taken over
 * through {@link dev.windhover.http.host.Upgrade} and goes on as a {@link
 * dev.windhover.http.host.Duplex}. {@link dev.windhover.http.host.HostContext} is what hosts and
 * engines see of a request's context. Applications do not need this package.
 */
package dev.windhover.http.host;
