package dev.windhover.hubs.redis;

import dev.windhover.hubs.backplane.Target;
import org.jspecify.annotations.Nullable;

/** The channels of a hub, named as the reference names them. */
final class Channels {
  private static final String ALL = "all";
  private static final String CONNECTION = "connection:";
  private static final String GROUP = "group:";
  private static final String USER = "user:";
  private static final String GROUPS = "internal:groups";
  private static final String ACK = "internal:ack:";
  private static final String RETURN = "internal:return:";

  /** What a channel is for. */
  sealed interface Purpose {
    record Send(Target to) implements Purpose {}

    record GroupCommands() implements Purpose {}

    record Acknowledgements() implements Purpose {}

    record Results() implements Purpose {}
  }

  private final String base;
  private final String server;

  /**
   * Creates those of a hub.
   *
   * @param prefix what all channels begin with
   * @param server the name of this server
   */
  Channels(String prefix, String hub, String server) {
    this.base = prefix + hub + ":";
    this.server = server;
  }

  String of(Target target) {
    return switch (target) {
      case Target.All _ -> base + ALL;
      case Target.Connection(var id) -> base + CONNECTION + id;
      case Target.Group(var name) -> base + GROUP + name;
      case Target.User(var id) -> base + USER + id;
    };
  }

  String groupCommands() {
    return base + GROUPS;
  }

  /** Returns the channel on which {@code other} hears that its commands were obeyed. */
  String acknowledgements(String other) {
    return base + ACK + other;
  }

  String acknowledgements() {
    return acknowledgements(server);
  }

  /** Returns the channel on which this server takes the results that it has asked for. */
  String results() {
    return base + RETURN + server;
  }

  /** Returns whether some server of the hub takes results on {@code channel}. */
  boolean isForResults(String channel) {
    return channel.startsWith(base + RETURN);
  }

  /** Returns the pattern of the channels of connections whose ids begin with {@code prefix}. */
  String connections(String prefix) {
    return (base + CONNECTION + prefix).replaceAll("[*?\\[\\]^\\\\-]", "\\\\$0") + "*";
  }

  /** Returns what {@code channel} is for; null if it is none of these. */
  @Nullable Purpose purpose(String channel) {
    if (!channel.startsWith(base)) {
      return null;
    }
    String rest = channel.substring(base.length());
    if (rest.equals(ALL)) {
      return new Purpose.Send(new Target.All());
    } else if (rest.startsWith(CONNECTION)) {
      return new Purpose.Send(new Target.Connection(rest.substring(CONNECTION.length())));
    } else if (rest.startsWith(GROUP)) {
      return new Purpose.Send(new Target.Group(rest.substring(GROUP.length())));
    } else if (rest.startsWith(USER)) {
      return new Purpose.Send(new Target.User(rest.substring(USER.length())));
    } else if (rest.equals(GROUPS)) {
      return new Purpose.GroupCommands();
    } else if (channel.equals(acknowledgements())) {
      return new Purpose.Acknowledgements();
    } else if (channel.equals(results())) {
      return new Purpose.Results();
    }
    return null;
  }
}
