package dev.windhover.verification.conformance;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * A client's side of permessage-deflate (RFC 7692), on the JDK's zlib; the server's messages are
 * held to the window that was agreed on by a second decoder, since the JDK's always has 15 bits.
 */
final class Deflate {
  private static final int TAIL = 4; // 00 00 ff ff
  private static final byte[] TAIL_BYTES = {0, 0, (byte) 0xFF, (byte) 0xFF};

  private final Map<String, String> agreed;
  private final Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
  private final Inflater inflater = new Inflater(true);
  private final @Nullable WindowInflater window;

  /** Begins with what was agreed on. */
  private Deflate(Map<String, String> agreed) {
    this.agreed = agreed;
    String bits = agreed.get("server_max_window_bits");
    boolean smaller = bits != null && !bits.equals("15");
    this.window =
        smaller ? new WindowInflater(Integer.parseInt(bits), hasServerContextTakeover()) : null;
  }

  /**
   * Reads the answer to an offer.
   *
   * @param offer what was offered, one or several
   * @param answer the value of the answer's only header, or null
   * @return null if the extension was declined
   */
  static @Nullable Deflate agree(String offer, @Nullable String answer) {
    if (answer == null) {
      return null;
    }
    Map<String, String> agreed = parameters(answer);
    for (String each : offer.split(",", -1)) {
      boolean ours = each.strip().matches("permessage-deflate(\\s*;.*)?");
      if (ours && answers(parameters(each), agreed)) {
        return new Deflate(agreed);
      }
    }
    throw new AssertionError("\"" + answer + "\" is no answer to \"" + offer + "\"");
  }

  private static Map<String, String> parameters(String extension) {
    String[] parts = extension.strip().split("\\s*;\\s*", -1);
    if (!parts[0].equals("permessage-deflate")) {
      throw new AssertionError("not permessage-deflate: " + extension);
    }
    Map<String, String> parameters = new TreeMap<>();
    for (String part : Arrays.asList(parts).subList(1, parts.length)) {
      String[] nameAndValue = part.split("=", 2);
      String value = nameAndValue.length == 1 ? "" : nameAndValue[1].replace("\"", "");
      if (parameters.put(nameAndValue[0].toLowerCase(Locale.ROOT), value) != null) {
        throw new AssertionError("repeated parameter in " + extension);
      }
    }
    return parameters;
  }

  /** Returns whether {@code agreed} is a right answer to one offer (RFC 7692 7.1). */
  private static boolean answers(Map<String, String> offered, Map<String, String> agreed) {
    for (Map.Entry<String, String> parameter : agreed.entrySet()) {
      String value = parameter.getValue();
      boolean right =
          switch (parameter.getKey()) {
            case "server_no_context_takeover", "client_no_context_takeover" -> value.isEmpty();
            case "server_max_window_bits" -> value.matches("[89]|1[0-5]");
            case "client_max_window_bits" ->
                value.matches("[89]|1[0-5]") && offered.containsKey("client_max_window_bits");
            default -> false;
          };
      if (!right) {
        return false;
      }
    }
    if (offered.containsKey("server_no_context_takeover")
        && !agreed.containsKey("server_no_context_takeover")) {
      return false;
    }
    return notAbove("server_max_window_bits", offered, agreed)
        && notAbove("client_max_window_bits", offered, agreed);
  }

  private static boolean notAbove(
      String name, Map<String, String> offered, Map<String, String> agreed) {
    String most = offered.getOrDefault(name, "");
    if (most.isEmpty()) {
      return true;
    }
    String bits = agreed.get(name);
    if (bits == null) { // what the client says of itself needs no answer
      return name.startsWith("client");
    }
    return Integer.parseInt(bits) <= Integer.parseInt(most);
  }

  /** Returns whether the server's messages may refer to those before them. */
  boolean hasServerContextTakeover() {
    return !agreed.containsKey("server_no_context_takeover");
  }

  /** Returns whether ours may. */
  boolean hasClientContextTakeover() {
    return !agreed.containsKey("client_no_context_takeover");
  }

  /** Gives zlib's memory back. */
  void end() {
    deflater.end();
    inflater.end();
  }

  // ---- Ours

  /** Returns a message as it is sent. */
  byte[] deflate(byte[] message) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(message.length / 4 + 64);
    out.writeBytes(deflatePart(message));
    byte[] bytes = out.toByteArray();
    if (!hasClientContextTakeover()) {
      deflater.reset();
    }
    if (bytes.length == 0) { // nothing new to flush
      return new byte[] {0};
    }
    return Arrays.copyOf(bytes, bytes.length - TAIL);
  }

  /** Returns part of a message, up to a byte's boundary: its 00 00 ff ff still there. */
  byte[] deflatePart(byte[] part) {
    deflater.setInput(part);
    ByteArrayOutputStream out = new ByteArrayOutputStream(part.length / 4 + 64);
    byte[] buffer = new byte[Math.clamp(part.length / 2L, 1024, 64 * 1024)];
    int n;
    do {
      n = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
      out.write(buffer, 0, n);
    } while (n == buffer.length);
    return out.toByteArray();
  }

  // ---- The server's

  /** Returns a message of the server as it was. */
  byte[] inflate(byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(4 * payload.length + 64);
    byte[] buffer = new byte[Math.clamp(4L * payload.length, 1024, 64 * 1024)];
    try {
      for (byte[] part : new byte[][] {payload, TAIL_BYTES}) {
        inflater.setInput(part);
        int n = inflater.inflate(buffer);
        while (n > 0 || !inflater.needsInput()) {
          out.write(buffer, 0, n);
          if (inflater.finished()) {
            throw new AssertionError("a server's message has a block with BFINAL");
          }
          n = inflater.inflate(buffer);
        }
      }
    } catch (DataFormatException e) {
      throw new AssertionError("a server's message cannot be decompressed", e);
    }
    if (!hasServerContextTakeover()) {
      inflater.reset();
    }
    byte[] message = out.toByteArray();
    if (window != null && !Arrays.equals(window.message(payload), message)) {
      throw new AssertionError("two decoders read the server's message differently");
    }
    return message;
  }
}
