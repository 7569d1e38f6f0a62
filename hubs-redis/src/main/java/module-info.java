/**
 * Lets several servers, ours and ASP.NET Core's, share a hub's clients through Redis. Lettuce,
 * which speaks to Redis, has threads of its own.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.hubs.redis {
  requires transitive dev.windhover.hubs;
  requires static transitive org.jspecify;
  requires lettuce.core;
  requires io.netty.common; // these three for Lettuce, which is no module and names nothing
  requires io.netty.handler;
  requires io.netty.resolver.dns;
  requires org.slf4j;

  exports dev.windhover.hubs.redis;
}
