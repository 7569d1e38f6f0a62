package dev.windhover.server.tls;

/** A certificate cannot be used; the message is one line for whoever configured it. */
public final class BadCertificateException extends Exception {
  private static final long serialVersionUID = 1;

  public BadCertificateException(String message) {
    super(message);
  }

  public BadCertificateException(String message, Throwable cause) {
    super(message, cause);
  }
}
