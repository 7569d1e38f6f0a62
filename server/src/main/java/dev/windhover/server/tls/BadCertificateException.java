package dev.windhover.server.tls;

import org.jspecify.annotations.Nullable;

/** A certificate cannot be used; the message is one line for whoever configured it. */
public final class BadCertificateException extends Exception {
  private static final long serialVersionUID = 1;

  private final String advice;

  public BadCertificateException(String message) {
    this(message, null, "");
  }

  public BadCertificateException(String message, Throwable cause) {
    this(message, cause, "");
  }

  /**
   * Creates one that says what to do.
   *
   * @param advice for whoever starts the server; empty for none
   */
  BadCertificateException(String message, @Nullable Throwable cause, String advice) {
    super(message, cause);
    this.advice = advice;
  }

  /** Returns the message, and what to do if the server is to start. */
  public String messageWithAdvice() {
    return advice.isEmpty() ? getMessage() : getMessage() + "; " + advice;
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
