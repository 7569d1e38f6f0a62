package dev.windhover.hubs.backplane;

import java.nio.ByteBuffer;

/**
 * A message as it stands on the wire of a protocol.
 *
 * @param protocol the protocol's name
 * @param bytes the whole record, with what sets it apart from the next; not to be changed, and read
 *     through duplicates only
 */
public record Form(String protocol, ByteBuffer bytes) {}
