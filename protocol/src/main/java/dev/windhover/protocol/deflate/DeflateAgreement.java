package dev.windhover.protocol.deflate;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What both ends of a connection have agreed on for permessage-deflate (RFC 7692 7.1), as a server
 * negotiates it.
 *
 * @param serverContextTakeover whether our messages refer to those before them
 * @param serverMaxWindowBits how far back ours refer: 2 to the power of it, 9–15
 * @param clientContextTakeover whether the client's messages may refer to those before them
 * @param clientMaxWindowBits how far back the client's may refer, 9–15
 * @param response the value of {@code Sec-WebSocket-Extensions} that says so to the client
 */
public record DeflateAgreement(
    boolean serverContextTakeover,
    int serverMaxWindowBits,
    boolean clientContextTakeover,
    int clientMaxWindowBits,
    String response) {
  /** The extension's token. */
  public static final String TOKEN = "permessage-deflate";

  /** The smallest window, as a power of 2; the 8 of RFC 7692 is more than zlib can do. */
  public static final int MIN_WINDOW_BITS = 9;

  /** The largest window, and what holds where nothing is said. */
  public static final int MAX_WINDOW_BITS = 15;

  private static final String SERVER_NO_CONTEXT_TAKEOVER = "server_no_context_takeover";
  private static final String CLIENT_NO_CONTEXT_TAKEOVER = "client_no_context_takeover";
  private static final String SERVER_MAX_WINDOW_BITS = "server_max_window_bits";
  private static final String CLIENT_MAX_WINDOW_BITS = "client_max_window_bits";

  /**
   * What a server asks for. A client that was not told otherwise keeps a window of 32 KiB for each
   * direction; what is said about the client's direction is what its compression may cost us.
   *
   * @param serverContextTakeover false lets each of our messages stand for itself
   * @param serverMaxWindowBits the most for our direction, 9–15
   * @param clientContextTakeover false asks the client to let each of its messages stand for itself
   * @param clientMaxWindowBits the most for the client's direction, 9–15; only a client that offers
   *     {@code client_max_window_bits} can be held to it (RFC 7692 7.1.2.2)
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
   * <p>An offer is declined if it breaks the grammar, repeats a parameter, has one that RFC 7692
   * does not know, or a value that is not allowed (7.1); so is a window of 8 bits.
   *
   * @return what was agreed, or null if there is no acceptable offer: the connection goes without
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
          int bits = windowBits(value); // without a value it is no offer: 7.1.2.1
          if (bits < 0) {
            return null;
          }
          serverBits = Math.min(bits, serverBits);
        }
        case CLIENT_MAX_WINDOW_BITS -> {
          int bits = value == null ? MAX_WINDOW_BITS : windowBits(value);
          if (bits < 0) {
            return null;
          }
          clientBits = Math.min(bits, terms.clientMaxWindowBits());
          response.append("; " + CLIENT_MAX_WINDOW_BITS + "=").append(clientBits);
        }
        default -> {
          return null;
        }
      }
    }
    if (clientTakeover && !terms.clientContextTakeover()) {
      clientTakeover = false; // may be asked of every client: 7.1.1.2
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

  /** Returns the window that {@code value} asks for, or -1: decimal, no leading zero (7.1.2). */
  private static int windowBits(@Nullable String value) {
    if (value == null) {
      return -1;
    }
    return switch (value) {
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
