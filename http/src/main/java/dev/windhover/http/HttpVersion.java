package dev.windhover.http;

/** The HTTP version of a request. */
public enum HttpVersion {
  /** HTTP/1.0: no upgrade, no chunked bodies. */
  HTTP_1_0("HTTP/1.0"),
  /** HTTP/1.1. */
  HTTP_1_1("HTTP/1.1"),
  /** HTTP/2. */
  HTTP_2("HTTP/2");

  private final String text;

  HttpVersion(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
