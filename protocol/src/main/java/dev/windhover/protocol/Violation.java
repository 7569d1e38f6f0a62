package dev.windhover.protocol;

/**
 * A fault of the peer, with its close code and its text. The Close frame, the log and the tests use
 * the same text: one violation, one message.
 *
 * @param closeCode 1002, 1007, 1008 or 1009
 * @param text the fact and the numbers, in lower case, at most 123 bytes
 */
public record Violation(int closeCode, String text) {
  // Framing, in the order of the wire (RFC 6455 5.2).
  static final Violation RESERVED_BITS = protocolError("reserved bits set without an extension");
  static final Violation RESERVED_BITS_ON_CONTINUATION =
      protocolError("reserved bits set on a continuation frame");
  static final Violation RESERVED_BITS_ON_CONTROL =
      protocolError("reserved bits set on a control frame");
  static final Violation CONTROL_TOO_LONG =
      protocolError("control frame exceeds limit of 125 bytes");
  static final Violation FRAGMENTED_CONTROL = protocolError("fragmented control frame");
  static final Violation CONTINUATION_WITHOUT_MESSAGE =
      protocolError("continuation frame without a message to continue");
  static final Violation MESSAGE_INSIDE_MESSAGE =
      protocolError("new message before the last one ended");
  static final Violation NOT_MASKED = protocolError("client frame is not masked");
  static final Violation MASKED = protocolError("server frame is masked");
  static final Violation NEGATIVE_LENGTH = protocolError("64-bit length with the top bit set");

  // Payloads.
  static final Violation INVALID_UTF_8 =
      new Violation(CloseCode.INVALID_FRAME_PAYLOAD_DATA, "text is not valid UTF-8");
  static final Violation CLOSE_OF_ONE_BYTE = protocolError("close frame of 1 byte");
  static final Violation INVALID_CLOSE_REASON =
      new Violation(CloseCode.INVALID_FRAME_PAYLOAD_DATA, "close reason is not valid UTF-8");

  static Violation reservedOpcode(int code) {
    return protocolError("reserved opcode " + code);
  }

  static Violation lengthNotMinimal(long length) {
    return protocolError("length " + length + " is not in its shortest form");
  }

  static Violation closeCode(int code) {
    return protocolError("close code " + code + " is not allowed in a frame");
  }

  /** Returns the violation of a message that exceeds the receiver's limit, both in bytes. */
  public static Violation messageTooBig(long atLeast, long limit) {
    return new Violation(
        CloseCode.MESSAGE_TOO_BIG, "message of " + atLeast + " bytes exceeds limit of " + limit);
  }

  /** Returns the violation of payload data that an extension cannot decode. */
  public static Violation undecodable(String text) {
    return new Violation(CloseCode.INVALID_FRAME_PAYLOAD_DATA, text);
  }

  /** Returns the violation of a policy, such as a limit on control frames. */
  public static Violation policy(String text) {
    return new Violation(CloseCode.POLICY_VIOLATION, text);
  }

  /** Returns this as the reason of the Close frame that answers it. */
  public CloseReason toCloseReason() {
    return new CloseReason(closeCode, text);
  }

  private static Violation protocolError(String text) {
    return new Violation(CloseCode.PROTOCOL_ERROR, text);
  }
}
