package dev.windhover.hubs.redis;

/** How well the servers reach each other. */
public enum BackplaneHealth {
  /** Messages pass. */
  UP,

  /** Redis is connected, but answers late, or not all subscriptions are restored. */
  DEGRADED,

  /** There is no connection: clients of this server are reached, others are not. */
  DOWN
}
