package dev.windhover.hubs;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Records that other servers send: with what sets them apart, each by itself. */
final class Records {
  private static final byte SEPARATOR = 0x1E;

  private Records() {}

  /**
   * Reads a record, which has to be whole and alone.
   *
   * @return the message; null for one of an unknown type
   */
  static @Nullable HubMessage read(HubProtocol protocol, ByteBuffer record, InvocationBinder binder)
      throws InvalidDataException {
    ByteBuffer bytes = record.duplicate();
    ByteBuffer only = new RecordReader(protocol.recordFormat(), 0).next(bytes);
    if (only == null || bytes.hasRemaining()) {
      throw new InvalidDataException(
          "%d bytes are not one whole message in %s"
              .formatted(record.remaining(), protocol.name()));
    }
    return protocol.read(only, binder);
  }

  /** Returns a copy of {@code content}, with what sets it apart. */
  static ByteBuffer framed(RecordFormat format, ByteBuffer content) {
    int length = content.remaining();
    ByteBuffer record = ByteBuffer.allocate(length + 5);
    if (format == RecordFormat.LENGTH_PREFIXED) {
      int rest = length;
      for (; rest > 0x7F; rest >>>= 7) {
        record.put((byte) (rest | 0x80));
      }
      record.put((byte) rest);
    }
    record.put(content.duplicate());
    if (format == RecordFormat.SEPARATED) {
      record.put(SEPARATOR);
    }
    return record.flip();
  }
}
