package dev.windhover.hubs;

/**
 * A hub without a client interface: it calls its clients by the names of their methods.
 *
 * <pre>{@code
 * public final class ChatHub extends UntypedHub {
 *   public void send(String text) {
 *     clients().all().send("receiveMessage", context().userIdentifier(), text);
 *   }
 * }
 * }</pre>
 */
public abstract class UntypedHub extends Hub<ClientProxy> {
  /** Creates one, for a single call. */
  protected UntypedHub() {}

  @Override
  public UntypedCallerClients clients() {
    return super.clients().untyped();
  }
}
