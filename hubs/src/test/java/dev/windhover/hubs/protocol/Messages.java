package dev.windhover.hubs.protocol;

import dev.windhover.hubs.protocol.HubMessage.BindingFailure;
import dev.windhover.hubs.protocol.HubMessage.ResultBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.StreamBindingFailure;
import java.lang.reflect.Type;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the tests of both protocols have in common. */
final class Messages {
  static final String BAD_ARGUMENTS =
      "InvalidDataException: Error binding arguments. Make sure that the types of the provided"
          + " values match the types of the hub method being invoked.";

  private Messages() {}

  record Custom(@Nullable String name, int value) {}

  /** Knows a hub with the methods Echo, Add, EchoCustom, Anything and None. */
  static final InvocationBinder HUB =
      new InvocationBinder() {
        @Override
        public @Nullable List<Type> parameterTypes(String target) {
          return switch (target) {
            case "Echo" -> List.of(String.class);
            case "Add" -> List.of(int.class, int.class);
            case "EchoCustom" -> List.of(Custom.class);
            case "Anything" -> List.of(Object.class);
            case "None" -> List.of();
            default -> null;
          };
        }

        @Override
        public @Nullable Type streamItemType(String streamId) {
          return streamId.equals("numbers") ? int.class : null;
        }

        @Override
        public @Nullable Type resultType(String invocationId) {
          return invocationId.equals("s1") ? int.class : null;
        }
      };

  /** Returns what a failure of binding says. */
  static String failure(@Nullable HubMessage message) {
    Throwable error =
        switch (message) {
          case BindingFailure failure -> failure.error();
          case StreamBindingFailure failure -> failure.error();
          case ResultBindingFailure failure -> failure.error();
          case null, default -> throw new AssertionError("no failure of binding: " + message);
        };
    return ((InvalidDataException) error).details();
  }
}
