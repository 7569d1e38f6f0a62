/** The other end of the wire: a client of plain sockets that knows every byte. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.wire;
