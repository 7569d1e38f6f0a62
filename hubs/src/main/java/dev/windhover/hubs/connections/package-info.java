/**
 * Connections that outlive a request: negotiation, WebSockets, server-sent events and long polling,
 * and coming back. They know nothing of hubs and can be used alone.
 */
package dev.windhover.hubs.connections;
