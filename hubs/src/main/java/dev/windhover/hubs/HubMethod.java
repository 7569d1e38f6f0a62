package dev.windhover.hubs;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method that clients may call, where a hub takes {@linkplain
 * HubOptions#annotatedMethodsOnly annotated methods only}; elsewhere, every public method is one,
 * and this says so to readers.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface HubMethod {}
