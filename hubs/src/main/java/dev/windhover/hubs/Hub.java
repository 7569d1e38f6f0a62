package dev.windhover.hubs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A class whose public methods clients call.
 *
 * <pre>{@code
 * public final class ChatHub extends Hub<ChatHub.Client> {
 *   public interface Client {
 *     void receiveMessage(String user, String text);
 *   }
 *
 *   public void send(String text) { // called as "send", "Send", "SEND"
 *     clients().all().receiveMessage(context().userIdentifier(), text);
 *   }
 *
 *   @Override
 *   public void onConnected() {
 *     groups().add("lobby");
 *   }
 * }
 * }</pre>
 *
 * <p>Each call has an instance of its own, from the supplier with which the hub is {@linkplain
 * Hubs#map mapped}, and so have {@link #onConnected} and {@link #onDisconnected}. What must outlive
 * a call belongs into what the supplier passes to the constructor, or into {@link
 * HubCallerContext#items}. An instance that is {@link AutoCloseable} is closed after its call, or
 * after the stream that the call returned.
 *
 * <p>Methods run on virtual threads and may block; those that are {@link NonBlocking} run on the
 * connection's loop. By default, the calls of one connection run one after the other, in the order
 * in which they came; see {@link HubOptions#maximumParallelInvocationsPerClient}.
 *
 * <p>Hub methods are the public instance methods of the class and of those between it and this one,
 * except {@code close} and those with {@link NotHubMethod}. Parameters are values, streams that the
 * client uploads ({@link java.util.stream.Stream} and its primitive forms, {@link
 * java.util.concurrent.Flow.Publisher}, {@link Iterable}, {@link java.util.Iterator}), and {@link
 * Cancellation}. Results are values or nothing, one of the same streams, or a {@link
 * java.util.concurrent.CompletionStage} of these. A method may throw anything: the client is told
 * that the call has failed, and why if it throws a {@link HubException}.
 *
 * <p>The methods of this class are not final, so that the proxies of dependency injection reach the
 * hub behind them; there is no need to override them.
 *
 * @param <C> what the server calls on clients: an interface; {@code Void} if nothing
 */
public abstract class Hub<C> {
  private static final VarHandle CONTEXT;

  static {
    try {
      CONTEXT = MethodHandles.lookup().findVarHandle(Hub.class, "context", HubCallerContext.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private @Nullable HubCallerContext context;

  /** Creates one, for a single call. */
  protected Hub() {}

  /**
   * Lets this instance serve a call of {@code context}. Called by Windhover, once.
   *
   * @throws IllegalStateException if it serves, or has served, another call
   */
  public void bind(HubCallerContext context) {
    if (!CONTEXT.compareAndSet(this, null, context)) {
      throw new IllegalStateException(
          "this instance of %s has served a call before: its supplier must return a new one for each"
              .formatted(getClass().getName()));
    }
  }

  /**
   * Returns whose call this instance serves.
   *
   * @throws IllegalStateException in a constructor, and outside of a call
   */
  public HubCallerContext context() {
    HubCallerContext known = context;
    if (known == null) {
      throw new IllegalStateException(
          ("this instance of %s serves no call: its context is there in hub methods, onConnected"
                  + " and onDisconnected")
              .formatted(getClass().getName()));
    }
    return known;
  }

  /** Returns those whom this hub can call. */
  public HubCallerClients<C> clients() {
    HubCallerContext known = context();
    return known.connection().<C>connections().clientsOf(known);
  }

  /** Returns the groups of this hub. */
  public HubGroups groups() {
    HubCallerContext known = context();
    return known.connection().connections().groupsOf(known);
  }

  /**
   * A client has connected. It is told what happens here, and calls hub methods afterwards.
   *
   * @throws Exception the connection is then closed, and the client may not reconnect by itself
   */
  public void onConnected() throws Exception {}

  /**
   * A client is gone. Its calls have been cancelled, and what is sent to it is dropped. Not called
   * if {@link #onConnected} has failed.
   *
   * @param error why; null if either side has closed the connection
   * @throws Exception it is logged
   */
  public void onDisconnected(@Nullable Throwable error) throws Exception {}
}
