package dev.windhover.hubs.protocol;

/** How records are told apart. */
public enum RecordFormat {
  /** Each ends with U+001E. */
  SEPARATED,

  /** Each begins with its length: 7 bits in each of 1 to 5 bytes, the lowest first. */
  LENGTH_PREFIXED
}
