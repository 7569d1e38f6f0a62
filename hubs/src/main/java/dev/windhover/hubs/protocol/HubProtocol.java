package dev.windhover.hubs.protocol;

import dev.windhover.hubs.connections.TransferFormat;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A form of messages on the wire. Stateless, and for any thread.
 *
 * <p>Every message stands in a record of its own: text that ends with U+001E, or bytes after their
 * length. {@code RecordReader} finds the records in what comes.
 */
public interface HubProtocol {
  /** Returns its name in the handshake, for example {@code json}; compared without case. */
  String name();

  /** Returns the latest version that it knows; earlier ones are the same on the wire. */
  int version();

  /** Returns what its records need of a transport. */
  TransferFormat transferFormat();

  /** Returns how records are told apart. */
  RecordFormat recordFormat();

  /**
   * Reads a message.
   *
   * @param record a whole record, without what sets it apart from the next
   * @return the message; null for one of an unknown type, which is to be ignored
   * @throws InvalidDataException if it is malformed. A value that does not fit its type is not: the
   *     message is then a failure of binding
   */
  @Nullable HubMessage read(ByteBuffer record, InvocationBinder binder) throws InvalidDataException;

  /**
   * Writes a message as a whole record, with what sets it apart from the next. A value of a generic
   * type comes as a {@link TypedValue}.
   *
   * @return a buffer that is the caller's
   * @throws IllegalArgumentException if a value cannot be written
   */
  ByteBuffer write(HubMessage message);
}
