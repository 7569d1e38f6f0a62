package dev.windhover.server;

/** A certificate cannot be used; the message is one line for whoever configured it. */
final class BadCertificateException extends Exception {
  private static final long serialVersionUID = 1;

  BadCertificateException(String message) {
    super(message);
  }

  BadCertificateException(String message, Throwable cause) {
    super(message, cause);
  }
}
