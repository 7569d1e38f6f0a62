package dev.windhover.protocol;

import java.nio.ByteBuffer;

/**
 * A negotiated extension (RFC 6455 9) that transforms the payload of data messages, as
 * permessage-deflate does. A message is coded if its first frame carries one of the extension's
 * reserved bits. Control frames are never coded.
 *
 * @param token the name in {@code Sec-WebSocket-Extensions}
 * @param reservedBits the bits that it owns: one or more of {@link #RSV1}, {@link #RSV2}, {@link
 *     #RSV3}
 * @param decoder applied to received messages that carry one of the bits
 * @param encoder applied to messages to be sent
 */
public record Extension(String token, int reservedBits, Transform decoder, Transform encoder) {
  /** The first reserved bit, at its position in a frame's first byte. */
  public static final int RSV1 = 0x40;

  /** The second reserved bit. */
  public static final int RSV2 = 0x20;

  /** The third reserved bit. */
  public static final int RSV3 = 0x10;

  public Extension {
    if (reservedBits == 0 || (reservedBits & ~(RSV1 | RSV2 | RSV3)) != 0) {
      throw new IllegalArgumentException(
          "reserved bits 0x" + Integer.toHexString(reservedBits) + " are not within 0x70");
    }
  }

  /** One direction of an extension. Only one thread may use it at a time. */
  @FunctionalInterface
  public interface Transform {
    /**
     * Moves payload from {@code in} to {@code out}, as much as fits.
     *
     * @param endOfMessage whether the message ends with the bytes in {@code in}
     * @return whether all of {@code in} was taken and no output is pending; if false, {@code out}
     *     is full and the caller repeats the call with room
     * @throws PayloadException if a peer's bytes cannot be decoded
     */
    boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage) throws PayloadException;
  }

  /** Payload that an extension cannot or will not decode. */
  public static final class PayloadException extends Exception {
    private static final long serialVersionUID = 1;

    private final int closeCode;
    private final String text;

    /**
     * Creates an exception that closes the connection with 1007.
     *
     * @param text for the peer: lower case, at most 123 bytes
     */
    public PayloadException(String text) {
      this(Violation.undecodable(text));
    }

    /** Creates an exception that closes the connection as {@code violation} says. */
    public PayloadException(Violation violation) {
      super(violation.text(), null, false, false);
      this.closeCode = violation.closeCode();
      this.text = violation.text();
    }

    /** Returns the violation, whose code and text are sent to the peer. */
    public Violation violation() {
      return new Violation(closeCode, text);
    }
  }
}
