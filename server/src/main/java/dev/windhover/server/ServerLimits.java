package dev.windhover.server;

/** What protects the host from its clients. Each method with an argument sets and returns this. */
public final class ServerLimits {
  private int maxRequestLine = 8 * 1024; // Kestrel's MaxRequestLineSize
  private int maxHeaders = 32 * 1024; // Kestrel's MaxRequestHeadersTotalSize

  ServerLimits() {}

  /**
   * Sets the longest request line in bytes; a longer one is answered with 414. 8 KiB by default.
   */
  public ServerLimits maxRequestLine(int bytes) {
    maxRequestLine = positive("maxRequestLine", bytes);
    return this;
  }

  /** Returns the longest request line in bytes. */
  public int maxRequestLine() {
    return maxRequestLine;
  }

  /** Sets the most bytes of headers; more are answered with 431. 32 KiB by default. */
  public ServerLimits maxHeaders(int bytes) {
    maxHeaders = positive("maxHeaders", bytes);
    return this;
  }

  /** Returns the most bytes of headers. */
  public int maxHeaders() {
    return maxHeaders;
  }

  private static int positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " " + value + " is not positive");
    }
    return value;
  }
}
