package dev.windhover.http;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Settings of one accepted socket; what is not set comes from the middleware's options. Each method
 * with an argument sets and returns this, the one without returns what was set, or null.
 */
public final class WebSocketAcceptContext {
  private @Nullable SubprotocolSelector subprotocolSelector;
  private @Nullable Duration keepAliveInterval;
  private @Nullable Duration keepAliveTimeout;
  private @Nullable Long maxMessageSize;

  /** Creates settings that leave everything to the middleware's options. */
  public WebSocketAcceptContext() {}

  /**
   * Answers with this subprotocol.
   *
   * @param subprotocol one that the client offers, or {@code accept} throws {@link
   *     IllegalArgumentException} before the handshake is answered; null or blank for none
   */
  public WebSocketAcceptContext subprotocol(@Nullable String subprotocol) {
    return subprotocolSelector(offered -> subprotocol);
  }

  /** Lets {@code selector} choose the subprotocol among those that the client offers. */
  public WebSocketAcceptContext subprotocolSelector(SubprotocolSelector selector) {
    this.subprotocolSelector = Objects.requireNonNull(selector);
    return this;
  }

  /** Returns how the subprotocol is chosen, or null. */
  public @Nullable SubprotocolSelector subprotocolSelector() {
    return subprotocolSelector;
  }

  /**
   * Sends a Ping when nothing has come for this long; zero switches it off.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketAcceptContext keepAliveInterval(Duration interval) {
    this.keepAliveInterval = notNegative("keepAliveInterval", interval);
    return this;
  }

  /** Returns the interval, or null. */
  public @Nullable Duration keepAliveInterval() {
    return keepAliveInterval;
  }

  /**
   * Aborts the socket when nothing has come for this long after a Ping; zero switches it off.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketAcceptContext keepAliveTimeout(Duration timeout) {
    this.keepAliveTimeout = notNegative("keepAliveTimeout", timeout);
    return this;
  }

  /** Returns the time limit, or null. */
  public @Nullable Duration keepAliveTimeout() {
    return keepAliveTimeout;
  }

  /**
   * Limits whole messages, in bytes; a larger one fails the socket with 1009. Receiving buffer by
   * buffer has no limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public WebSocketAcceptContext maxMessageSize(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("maxMessageSize " + bytes + " is not positive");
    }
    this.maxMessageSize = bytes;
    return this;
  }

  /** Returns the limit in bytes, or null. */
  public @Nullable Long maxMessageSize() {
    return maxMessageSize;
  }

  private static Duration notNegative(String name, Duration value) {
    if (value.isNegative()) {
      throw new IllegalArgumentException(name + " " + value + " is negative");
    }
    return value;
  }
}
