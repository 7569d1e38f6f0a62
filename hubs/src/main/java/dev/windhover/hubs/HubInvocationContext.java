package dev.windhover.hubs;

import java.lang.reflect.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call, as a {@link HubFilter} sees it.
 *
 * @param hub the instance that serves it
 * @param context whose call it is
 * @param methodName the method's name on the wire, as it was declared
 * @param method the method
 * @param arguments all arguments, in the order of its parameters: with streams and {@link
 *     Cancellation}. A filter may pass a context with others on
 */
public record HubInvocationContext(
    Hub<?> hub,
    HubCallerContext context,
    String methodName,
    Method method,
    List<? extends @Nullable Object> arguments) {}
