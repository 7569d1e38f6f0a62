/**
 * What all versions of HTTP are built on: a connection's loop and link, the buffers that it is read
 * into, and the sinks through which everything leaves.
 */
package dev.windhover.server.net;
