package dev.windhover.http;

/**
 * Answers a request. It runs on a virtual thread of its own and may block, unless it is declared
 * {@linkplain #nonBlocking(Handler) non-blocking}.
 */
@FunctionalInterface
public interface Handler {
  /**
   * Answers the request.
   *
   * @throws HttpException to answer with that status
   * @throws Exception to answer with 500 and one error line in the log
   */
  void handle(HttpContext context) throws Exception;

  /** Returns whether this handler never blocks, so that it may run on the connection's loop. */
  default boolean isNonBlocking() {
    return false;
  }

  /**
   * Declares that {@code handler} never blocks. It then runs on the connection's loop, without the
   * cost of a thread, if no middleware before it blocks either. If it blocks nevertheless, it
   * stalls every connection of that loop.
   */
  static Handler nonBlocking(Handler handler) {
    return new Handler() {
      @Override
      public void handle(HttpContext context) throws Exception {
        handler.handle(context);
      }

      @Override
      public boolean isNonBlocking() {
        return true;
      }
    };
  }
}
