package dev.windhover.hubs;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Gives a method another name on the wire: a method of a hub, or of a client interface. The name in
 * Java then has no meaning there.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface HubMethodName {
  /** The name; clients call a hub's methods by it in any case. */
  String value();
}
