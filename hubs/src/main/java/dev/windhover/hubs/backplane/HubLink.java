package dev.windhover.hubs.backplane;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * What a hub asks of its backplane. Any thread may call any method, even an event loop, and none of
 * them waits or takes a lock. The stages that some return always complete, and normally, within a
 * time limit of the backplane.
 */
public interface HubLink {
  /**
   * Sends a message to clients on all servers.
   *
   * @param except the connections that do not get it
   * @param forms the message in every protocol of the hub
   * @param here delivers it to the clients of this server. The link runs it once: now, or later on
   *     a thread of its own that may wait, so that all servers see one order
   * @throws BackplaneException if other servers will not get it, and the backplane is set up to say
   *     so; {@code here} has been run then
   * @throws IllegalArgumentException if the message is larger than the backplane allows
   */
  void send(Target to, Set<String> except, List<Form> forms, Runnable here);

  /**
   * Asks a connection of another server for a result. The answer goes to {@link LocalHub#answered}
   * or {@link LocalHub#unanswered}, once.
   *
   * @param invocationId unique among all servers
   * @param forms the call in every protocol of the hub
   * @param limit how long the answer is awaited
   * @throws IllegalArgumentException if the call is larger than the backplane allows
   */
  void ask(String connectionId, String invocationId, List<Form> forms, Duration limit);

  /** The answer to {@link #ask} is no longer awaited. */
  void forget(String invocationId);

  /**
   * Makes a connection of another server a member of a group.
   *
   * @return whether its server has confirmed it in time
   */
  CompletionStage<Boolean> addToGroup(String connectionId, String group);

  /** As {@link #addToGroup}, for the end of a membership. */
  CompletionStage<Boolean> removeFromGroup(String connectionId, String group);

  /**
   * A connection, the first member of a group, or the first connection of a user has come here, or
   * the last one has gone. {@link LocalHub#has} tells the current state.
   *
   * @return completes with true when what other servers send to {@code target} arrives here; with
   *     false when that has failed for now, or is not wanted any more
   */
  CompletionStage<Boolean> changed(Target target);
}
