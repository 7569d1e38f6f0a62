package dev.windhover.protocol;

import org.jspecify.annotations.Nullable;

/** The type of a frame (RFC 6455 5.2 and 11.8). 3–7 and 11–15 are reserved. */
public enum Opcode {
  /** A further fragment of a message that a text or binary frame has begun. */
  CONTINUATION(0x0),
  /** The first or only frame of a text message. */
  TEXT(0x1),
  /** The first or only frame of a binary message. */
  BINARY(0x2),
  /** Starts or answers the closing handshake. */
  CLOSE(0x8),
  /** Asks for a {@link #PONG} with the same payload. */
  PING(0x9),
  /** Answers a {@link #PING}, or is sent unsolicited as a sign of life. */
  PONG(0xA);

  private static final @Nullable Opcode[] BY_CODE = new Opcode[16];

  static {
    for (Opcode opcode : values()) {
      BY_CODE[opcode.code] = opcode;
    }
  }

  private final int code;

  Opcode(int code) {
    this.code = code;
  }

  /** Returns the four bits on the wire. */
  public int code() {
    return code;
  }

  /** Returns whether this is a control frame: never fragmented, at most 125 bytes (5.5). */
  public boolean isControl() {
    return code >= 0x8;
  }

  /** Returns the opcode with the low four bits of {@code code}, or null for a reserved one. */
  public static @Nullable Opcode of(int code) {
    return BY_CODE[code & 0xF];
  }
}
