package dev.windhover.hubs.protocol;

import com.fasterxml.jackson.annotation.JacksonAnnotation;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A property of type {@code int} or {@code long} that has no sign, as {@code uint} and {@code
 * ulong} in .NET: a number up to 2^32 - 1 or 2^64 - 1 on the wire, and in Java what {@link
 * Integer#toUnsignedString(int)} and its like take.
 */
@Documented
@JacksonAnnotation
@Retention(RetentionPolicy.RUNTIME)
@Target({
  ElementType.FIELD,
  ElementType.METHOD,
  ElementType.PARAMETER,
  ElementType.RECORD_COMPONENT
})
public @interface Unsigned {}
