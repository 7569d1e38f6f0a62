package dev.windhover.http;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Maps a public method of a controller, {@code void name(HttpContext)}, to a path. On the class, it
 * is the prefix of its methods' paths. See {@link Application#mapControllers}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface Route {
  /** Returns the path, as in {@link Application#map(String, Handler)}. */
  String value();

  /**
   * Returns the HTTP methods that the route answers; all by default, so that HTTP/2's CONNECT is
   * included. On the class, it is the default for its methods that name none.
   */
  String[] methods() default {};
}
