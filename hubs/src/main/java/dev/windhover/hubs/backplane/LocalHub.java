package dev.windhover.hubs.backplane;

import dev.windhover.hubs.protocol.InvalidDataException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a hub on this server, as a backplane sees them. Any thread may call any method
 * except {@link #deliver}; none waits for a client.
 */
public interface LocalHub {
  /** Why an answer does not come. */
  enum NoAnswer {
    /** No server knows the connection. */
    UNKNOWN_CONNECTION,

    /** The time is over. */
    TIMED_OUT,

    /** Other servers cannot be asked now. */
    UNAVAILABLE
  }

  /** Returns whether {@code target} includes a client of this server. */
  boolean has(Target target);

  /**
   * Delivers what another server has sent to the clients here. Not on an event loop: a thread that
   * delivers faster than the loops can is slowed down.
   *
   * @param except the connections that do not get it
   * @throws InvalidDataException if a client did not get it, because there is no form for its
   *     protocol, or the form is not one whole call; the others did
   */
  void deliver(Target to, Set<String> except, List<Form> forms) throws InvalidDataException;

  /**
   * Asks a connection of this server for a result, for another server.
   *
   * @param answer is given the connection's answer, or the reason why there is none: a completion
   *     of the protocol that its form names. Called at most once, by any thread, and must not block
   * @throws InvalidDataException if it cannot be asked, because of what {@link #deliver} says
   */
  void ask(String connectionId, String invocationId, List<Form> forms, Consumer<Form> answer)
      throws InvalidDataException;

  /**
   * Takes the answer of another server's connection.
   *
   * @return the id of the call that is answered; null if nobody awaits the answer any more
   * @throws InvalidDataException if it is no answer
   */
  @Nullable String answered(Form answer) throws InvalidDataException;

  /** An answer does not come. */
  void unanswered(String invocationId, NoAnswer reason);

  /**
   * Makes a connection of this server a member of a group, for another server.
   *
   * @return whether what other servers send to the group reaches the connection, as {@link
   *     HubLink#changed} says; null if the connection is not here
   */
  @Nullable CompletionStage<Boolean> addToGroup(String connectionId, String group);

  /**
   * Ends a membership, for another server.
   *
   * @return false if the connection is not here
   */
  boolean removeFromGroup(String connectionId, String group);
}
