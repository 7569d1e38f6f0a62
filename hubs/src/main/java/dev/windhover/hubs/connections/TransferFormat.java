package dev.windhover.hubs.connections;

/** What a transport can carry, or a protocol needs. */
public enum TransferFormat {
  /** UTF-8 text; every transport carries it. */
  TEXT("Text"),

  /** Any bytes; server-sent events do not carry them. */
  BINARY("Binary");

  private final String wireName;

  TransferFormat(String wireName) {
    this.wireName = wireName;
  }

  /** Returns the name in a negotiation's answer. */
  public String wireName() {
    return wireName;
  }
}
