package dev.windhover.hubs;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares that a hub method never blocks. It then runs on the connection's loop, without the cost
 * of a thread, if every {@link HubFilter} of its hub is non-blocking too. A method that blocks
 * nevertheless stalls every connection of that loop.
 *
 * <p>Such a method may return a {@link java.util.concurrent.CompletionStage}, whose result is sent
 * when it is there. It cannot take streams, nor return one, nor wait for a client's result.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface NonBlocking {}
