package dev.windhover.http;

/**
 * Ends a request with a status and a text for the client. The client is at fault, or the server has
 * reached a limit, so the exception has no stack trace and is not logged as an error.
 */
public class HttpException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final transient Headers headers;

  /** Creates an exception without additional headers. */
  public HttpException(int status, String message) {
    this(status, message, new Headers());
  }

  /**
   * Creates an exception.
   *
   * @param status 400–599
   * @param message the plain-text body of the response: the fact and the numbers, in lower case
   * @param headers additional headers of the response
   * @throws IllegalArgumentException if the status is out of range
   */
  public HttpException(int status, String message, Headers headers) {
    super(message, null, false, false);
    if (status < 400 || status > 599) {
      throw new IllegalArgumentException("status " + status + " is not within 400-599");
    }
    this.status = status;
    this.headers = headers;
  }

  /** Returns the status to answer with. */
  public int status() {
    return status;
  }

  /** Returns the headers to answer with, in addition to those of the body. */
  public Headers headers() {
    return headers;
  }
}
