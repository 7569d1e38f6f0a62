package dev.windhover.http.websocket;

import dev.windhover.http.HttpException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses the subprotocol of a socket from those that the client offers (RFC 6455 1.9). */
@FunctionalInterface
public interface SubprotocolSelector {
  /**
   * Returns one of {@code offered}, or null or blank to continue without a subprotocol.
   *
   * @param offered the client's offers, in its order of preference; may be empty
   * @throws HttpException to refuse the handshake
   */
  @Nullable String select(List<String> offered);

  /** Returns the first of {@code supported} that the client offers. */
  static SubprotocolSelector serverPreference(String... supported) {
    List<String> ours = List.of(supported);
    return offered -> ours.stream().filter(offered::contains).findFirst().orElse(null);
  }

  /** Returns the first of the client's offers that is among {@code supported}. */
  static SubprotocolSelector clientPreference(String... supported) {
    List<String> ours = List.of(supported);
    return offered -> offered.stream().filter(ours::contains).findFirst().orElse(null);
  }

  /** Returns a selector that refuses the handshake with 400 if this one selects none. */
  default SubprotocolSelector orRefuse() {
    return offered -> {
      String chosen = select(offered);
      if (chosen == null) {
        throw new HttpException(400, "no supported subprotocol among " + offered);
      }
      return chosen;
    };
  }
}
