package dev.windhover.protocol.deflate;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of permessage-deflate (RFC 7692 7.1) that both ends of a connection have agreed
 * on, negotiated by the server.
 *
 * @param serverContextTakeover whether our messages may refer to earlier ones
 * @param serverMaxWindowBits the window of our messages, as a power of 2, 9–15
 * @param clientContextTakeover whether the client's messages may refer to earlier ones
 * @param clientMaxWindowBits the window with which the client's messages are read, 9–15; a client
 *     that limits itself to 8 bits is read with 9
 * @param response the value of {@code Sec-WebSocket-Extensions} that tells the client
 */
public record DeflateAgreement(
    boolean serverContextTakeover,
    int serverMaxWindowBits,
    boolean clientContextTakeover,
    int clientMaxWindowBits,
    String response) {
  /** The extension's token. */
  public static final String TOKEN = "permessage-deflate";

  /**
   * The smallest window, as a power of 2. RFC 7692 also allows 8, with which zlib cannot compress
   * (its {@code deflateInit2} refuses 8 bits for raw data).
   */
  public static final int MIN_WINDOW_BITS = 9;

  /** The smallest window to which a client may limit itself: ours for reading is larger. */
  private static final int MIN_CLIENT_WINDOW_BITS = 8;

  /** The largest window, and the default. */
  public static final int MAX_WINDOW_BITS = 15;

  private static final String SERVER_NO_CONTEXT_TAKEOVER = "server_no_context_takeover";
  private static final String CLIENT_NO_CONTEXT_TAKEOVER = "client_no_context_takeover";
  private static final String SERVER_MAX_WINDOW_BITS = "server_max_window_bits";
  private static final String CLIENT_MAX_WINDOW_BITS = "client_max_window_bits";

  /**
   * What a server asks for. By default a client keeps a window of 32 KiB for each direction. The
   * settings for the client's direction limit the memory that its compression costs us.
   *
   * @param serverContextTakeover if false, our messages do not refer to earlier ones
   * @param serverMaxWindowBits the largest window for our direction, 9–15
   * @param clientContextTakeover if false, the client is asked not to refer to earlier messages
   * @param clientMaxWindowBits the largest window for the client's direction, 9–15; it binds only
   *     clients that offer {@code client_max_window_bits} (RFC 7692 7.1.2.2)
   */
  public record Terms(
      boolean serverContextTakeover,
      int serverMaxWindowBits,
      boolean clientContextTakeover,
      int clientMaxWindowBits) {
    /** Context takeover and 15 bits in both directions. */
    public static final Terms DEFAULT = new Terms(true, MAX_WINDOW_BITS, true, MAX_WINDOW_BITS);

    public Terms {
      requireWindowBits("serverMaxWindowBits", serverMaxWindowBits);
      requireWindowBits("clientMaxWindowBits", clientMaxWindowBits);
    }

    private static void requireWindowBits(String name, int bits) {
      if (bits < MIN_WINDOW_BITS || bits > MAX_WINDOW_BITS) {
        throw new IllegalArgumentException(name + " of " + bits + " is not within 9-15");
      }
    }
  }

  /**
   * Answers the first acceptable offer of the request's {@code Sec-WebSocket-Extensions} lines.
   *
   * <p>An offer is declined if it breaks the grammar, repeats a parameter, contains a parameter
   * that RFC 7692 does not define, or has a value that is not allowed (7.1). A window of 8 bits for
   * our messages is declined too. For the client's, it is accepted.
   *
   * @return the agreement, or null if no offer is acceptable; the connection is then not compressed
   */
  public static @Nullable DeflateAgreement negotiate(List<String> lines, Terms terms) {
    for (ExtensionOffer offer : ExtensionOffer.parse(lines)) {
      if (offer.name().equals(TOKEN)) {
        DeflateAgreement agreement = answer(offer, terms);
        if (agreement != null) {
          return agreement;
        }
      }
    }
    return null;
  }

  private static @Nullable DeflateAgreement answer(ExtensionOffer offer, Terms terms) {
    StringBuilder response = new StringBuilder(TOKEN);
    Set<String> seen = new HashSet<>();
    boolean serverTakeover = terms.serverContextTakeover();
    int serverBits = terms.serverMaxWindowBits();
    boolean clientTakeover = true;
    int clientBits = MAX_WINDOW_BITS;
    for (ExtensionOffer.Parameter parameter : offer.parameters()) {
      String value = parameter.value();
      if (!seen.add(parameter.name())) {
        return null;
      }
      switch (parameter.name()) {
        case SERVER_NO_CONTEXT_TAKEOVER -> {
          if (value != null) {
            return null;
          }
          serverTakeover = false;
        }
        case CLIENT_NO_CONTEXT_TAKEOVER -> {
          if (value != null) {
            return null;
          }
          clientTakeover = false;
          response.append("; " + CLIENT_NO_CONTEXT_TAKEOVER);
        }
        case SERVER_MAX_WINDOW_BITS -> {
          int bits = windowBits(value); // invalid without a value: 7.1.2.1
          if (bits < MIN_WINDOW_BITS) {
            return null;
          }
          serverBits = Math.min(bits, serverBits);
        }
        case CLIENT_MAX_WINDOW_BITS -> {
          int bits = value == null ? MAX_WINDOW_BITS : windowBits(value);
          if (bits < MIN_CLIENT_WINDOW_BITS) {
            return null;
          }
          int most = Math.min(bits, terms.clientMaxWindowBits());
          response.append("; " + CLIENT_MAX_WINDOW_BITS + "=").append(most);
          clientBits = Math.max(most, MIN_WINDOW_BITS);
        }
        default -> {
          return null;
        }
      }
    }
    if (clientTakeover && !terms.clientContextTakeover()) {
      clientTakeover = false; // every client must support it: 7.1.1.2
      response.append("; " + CLIENT_NO_CONTEXT_TAKEOVER);
    }
    if (!serverTakeover) {
      response.append("; " + SERVER_NO_CONTEXT_TAKEOVER);
    }
    if (seen.contains(SERVER_MAX_WINDOW_BITS) || serverBits != MAX_WINDOW_BITS) {
      response.append("; " + SERVER_MAX_WINDOW_BITS + "=").append(serverBits);
    }
    return new DeflateAgreement(
        serverTakeover, serverBits, clientTakeover, clientBits, response.toString());
  }

  /**
   * Returns the window that {@code value} requests, or -1 if it is invalid: decimal, no leading
   * zero (7.1.2).
   */
  private static int windowBits(@Nullable String value) {
    if (value == null) {
      return -1;
    }
    return switch (value) {
      case "8" -> 8;
      case "9" -> 9;
      case "10" -> 10;
      case "11" -> 11;
      case "12" -> 12;
      case "13" -> 13;
      case "14" -> 14;
      case "15" -> 15;
      default -> -1;
    };
  }
}
