package dev.windhover.http.middleware;

/** A header in which proxies say what they know; see {@link ForwardedHeaders}. */
public enum ForwardedHeader {
  /** {@code X-Forwarded-For}: the address that each proxy was asked from. */
  X_FORWARDED_FOR,
  /** {@code X-Forwarded-Proto}: the scheme by which it was. */
  X_FORWARDED_PROTO,
  /** {@code X-Forwarded-Host}: the host that was asked for. */
  X_FORWARDED_HOST,
  /** {@code Forwarded}: all three (RFC 7239). */
  FORWARDED
}
