package dev.windhover.http;

/**
 * A step of the pipeline: it does its part and calls {@code next}, or answers the request itself.
 * Steps run in the order in which they were added. Code after the call of {@code next} runs on the
 * way back.
 */
@FunctionalInterface
public interface Middleware {
  /** Handles the request; see {@link Handler#handle} for what may be thrown. */
  void handle(HttpContext context, Handler next) throws Exception;

  /** Returns whether this step itself never blocks; {@code next} may. */
  default boolean isNonBlocking() {
    return false;
  }

  /** Is called when this step is added to {@code application}, before it handles any request. */
  default void addedTo(Application application) {}

  /** Declares that {@code middleware} never blocks; see {@link Handler#nonBlocking}. */
  static Middleware nonBlocking(Middleware middleware) {
    return new Middleware() {
      @Override
      public void handle(HttpContext context, Handler next) throws Exception {
        middleware.handle(context, next);
      }

      @Override
      public boolean isNonBlocking() {
        return true;
      }
    };
  }

  /**
   * Returns the handler that runs this step around {@code next}; the pipeline is a fold of this
   * method.
   */
  default Handler around(Handler next) {
    boolean nonBlocking = isNonBlocking() && next.isNonBlocking();
    return new Handler() {
      @Override
      public void handle(HttpContext context) throws Exception {
        Middleware.this.handle(context, next);
      }

      @Override
      public boolean isNonBlocking() {
        return nonBlocking;
      }
    };
  }
}
