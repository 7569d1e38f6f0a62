package dev.windhover.http.middleware;

/**
 * A header in which proxies pass on what they know about the client; see {@link ForwardedHeaders}.
 */
public enum ForwardedHeader {
  /** {@code X-Forwarded-For}: the address from which each proxy received the request. */
  X_FORWARDED_FOR,
  /** {@code X-Forwarded-Proto}: the scheme with which it received the request. */
  X_FORWARDED_PROTO,
  /** {@code X-Forwarded-Host}: the host that the client requested. */
  X_FORWARDED_HOST,
  /** {@code Forwarded}: all three (RFC 7239). */
  FORWARDED
}
