package dev.windhover.http.middleware;

/**
 * The settings of {@link HttpsRedirection}. A method with an argument sets a value and returns
 * this.
 */
public final class HttpsRedirectionOptions {
  private int httpsPort = 443; // RFC 9110 4.2.2
  private int redirectStatusCode = 307; // as in ASP.NET Core; browsers do not cache mistakes

  /** Creates the defaults. */
  public HttpsRedirectionOptions() {}

  /**
   * Sets the port on which clients reach HTTPS; 443 by default.
   *
   * @throws IllegalArgumentException outside 1–65535
   */
  public HttpsRedirectionOptions httpsPort(int port) {
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("httpsPort " + port + " is not within 1-65535");
    }
    httpsPort = port;
    return this;
  }

  /** Returns the port of HTTPS. */
  public int httpsPort() {
    return httpsPort;
  }

  /**
   * Sets the status: 307 (the default), or 308, which clients remember. Both preserve method and
   * body.
   *
   * @throws IllegalArgumentException if it is neither
   */
  public HttpsRedirectionOptions redirectStatusCode(int status) {
    if (status != 307 && status != 308) {
      throw new IllegalArgumentException(
          "redirectStatusCode " + status + " is neither 307 nor 308");
    }
    redirectStatusCode = status;
    return this;
  }

  /** Returns the status. */
  public int redirectStatusCode() {
    return redirectStatusCode;
  }
}
